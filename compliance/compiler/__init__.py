"""Checked rules -> one shared plan: `lower` makes typed operations, `argue` the sentences, `plan` shares the work."""
