"""Imitation Salesforce, HubSpot and Slack over real HTTP and WebSocket on loopback, with a deterministic world."""
