"""`tierd map`: look around in a CRM, propose where each fact is kept, and write the chosen mapping into tierd.yaml."""
