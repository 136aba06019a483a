"""Callers: who they are, when they work, and who makes their calls while they are away."""
