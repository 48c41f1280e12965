"""The improvement plan, one file a report, each in every format that it has; and one file a format that other programs read."""
