"""Brakes: how often one account, or one address, may do what is rarely done by the hundred."""
