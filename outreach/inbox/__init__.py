"""What patients send back: every text a row first, then understood, and never into silence."""
