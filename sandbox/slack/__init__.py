"""Part of the sandbox: slack."""
