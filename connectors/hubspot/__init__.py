"""connectors/hubspot: see docs/architecture.md."""
