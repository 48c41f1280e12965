"""One file a step, from the first version on."""
