"""HubSpot: read by search on dated paths, write the tier by batches, through hubspot-api-client's transport."""
