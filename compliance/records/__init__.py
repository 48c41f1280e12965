"""What a case or HR system gives, read into tables of records: record kinds, mappings, cells, rows."""
