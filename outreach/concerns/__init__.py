"""The safety net: something worrying, until somebody has dealt with it."""
