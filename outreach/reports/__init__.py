"""Reports: what needs doing today, and whether patients are being reached."""
