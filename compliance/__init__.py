"""Checks the records of English children's services against the law, the standards and their own policy."""

__version__ = "0.1.0"
