"""Part of the sandbox: hubspot."""
