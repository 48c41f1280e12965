"""The expression language of rules: parsed by Python's `ast`, checked against the record kinds, never run by Python."""
