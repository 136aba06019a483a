"""Calling programmes as data, and the patients enrolled in them."""
