"""Which call comes next, and when."""
