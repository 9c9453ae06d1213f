"""The only place that opens a database: records, tables, queries by noun, migrations."""
