"""Who is the dedicated caller of whom."""
