"""Rules put to the test: their cases, a second and plain evaluator, small mistakes, and the days around every limit."""
