"""Whether somebody whom calls don't reach is well: what a nurse tries, and how it ends."""
