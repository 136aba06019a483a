"""Callers at their pace, and the carrier's webhooks, against a server of one's own."""
