"""How the people who call are: one question a month, for themselves, and a way to ask for support.

What somebody answers is theirs: a manager sees a clinic's months that are over, where enough
answered, and nothing about anybody. Source: domain.md B2.
"""
