"""When patients may be called: a clinic's own hours, its closed days, and the law of a place."""
