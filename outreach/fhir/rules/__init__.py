"""What other systems are told, and what they may ask. Pure."""

from outreach.errors import RuleBroken


class NotUnderstood(RuleBroken):
    """A parameter that is not ours, is missing, or makes no sense. The message says which."""
