"""Part of the sandbox: world."""
