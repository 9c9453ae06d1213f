"""connectors/salesforce: see docs/architecture.md."""
