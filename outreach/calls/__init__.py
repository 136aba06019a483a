"""The caller's day: the queue, the call, what came of it."""
