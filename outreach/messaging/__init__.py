"""Text messages: each a row first, sent once."""
