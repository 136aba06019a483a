"""Periods, measures and weeks of reports. Pure."""
