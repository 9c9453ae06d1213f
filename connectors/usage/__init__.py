"""connectors/usage: see docs/architecture.md."""
