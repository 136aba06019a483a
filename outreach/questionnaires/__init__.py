"""Questionnaires with items, asked on a call: answers, scores, and what a score asks for."""
