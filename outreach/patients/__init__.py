"""The people who are called: how to reach them, and what they agreed to."""
