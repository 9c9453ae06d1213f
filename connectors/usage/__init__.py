"""Product usage: samples from files (CSV, JSONL) or from a query on any database."""
