"""What the program does, each job in the order of its stages, and the plans that jobs keep."""
