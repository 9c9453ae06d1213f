"""The ingest listener: pushes of usage, and hints of CRMs that something has changed. Off unless `ingest` is configured."""
