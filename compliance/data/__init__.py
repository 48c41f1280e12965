"""Data that come with the program."""
