"""Errors raised on purpose. Edges translate them; nobody else catches them."""

from datetime import timedelta


class OutreachError(Exception):
    """Base of the package's errors. Staff see ``str(error)``: never put patient data in it."""


class NotFound(OutreachError):
    """Outside the actor's scope, so it does not exist."""


class NotAllowed(OutreachError):
    """The actor may not do this to this record."""


class Stale(OutreachError):
    """The record changed since the actor saw it; reloading shows why."""


class RuleBroken(OutreachError):
    """The request is well formed but breaks a rule of the programme."""


class TooOften(OutreachError):
    """One account, or one address, did this as often as may be; after ``wait`` it goes on."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("This was done too often.")
        self.wait = wait


class ProviderUnavailable(OutreachError):
    """The telephony provider did not take the request. Retrying later may help."""
