"""The improvement plan and its tracker: a plan is what its events add up to."""
