"""Part of the sandbox: salesforce."""
