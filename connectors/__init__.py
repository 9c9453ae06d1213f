"""connectors: see docs/architecture.md."""
