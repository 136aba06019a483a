"""The outside world of one running app: what time it is, and the telephone company."""

from dataclasses import dataclass

from flask import Flask, current_app

from config import Config
from outreach import sealing
from outreach.clock import Clock
from outreach.encryption import Cipher
from outreach.telephony.gateway import TelephonyGateway


@dataclass(frozen=True)
class Deps:
    """What edges reach for. Tests put a stopped clock and a fake carrier here."""

    config: Config
    clock: Clock
    gateway: TelephonyGateway

    @property
    def cipher(self) -> Cipher:
        """What encrypts values at rest, with this installation's keys."""
        return sealing.cipher()


def init_app(app: Flask, outside: Deps) -> None:
    """Attach the outside world to ``app``."""
    app.extensions["outreach"] = outside


def deps() -> Deps:
    """Return the outside world of the current app."""
    outside: Deps = current_app.extensions["outreach"]
    return outside
