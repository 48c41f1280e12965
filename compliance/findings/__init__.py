"""What an audit found, and what surrounds it: earlier findings, accepted risks, groups, what falls due, a trend."""
