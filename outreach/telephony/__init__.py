"""The telephone company, both directions."""
