"""Keys by which other systems read one clinic: made, counted and ended."""
