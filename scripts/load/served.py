"""The server under load: the product on a working day, with Twilio's keys of the load test."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask

from config import Config, TwilioAccount
from outreach.app import create_app
from outreach.clock import utc_now
from outreach.deps import Deps
from outreach.telephony.twilio_gateway import TwilioGateway
from scripts.benches import databases
from scripts.load import work

Keys = tuple[tuple[str, bytes], ...]


def app() -> Flask:
    """Build the app for DATABASE_URL, its clock ahead by LOAD_AHEAD seconds."""
    ahead = timedelta(seconds=float(os.environ["LOAD_AHEAD"]))
    instance = Path(os.environ["INSTANCE_PATH"])
    database_url = os.environ["DATABASE_URL"]
    return create_app(outside(database_url, instance, ahead, databases.KEYS))


def outside(database_url: str, instance: Path, ahead: timedelta, keys: Keys) -> Deps:
    """Return settings, clock and carrier; nothing is sent from here: see beside.py.

    ``keys`` are those that the rows were encrypted with.
    """
    account = TwilioAccount(
        account_sid=work.ACCOUNT, auth_token=work.TOKEN, sender=work.CLINICS_NUMBER
    )
    config = Config(
        database_url=database_url,
        instance_path=instance,
        secret_key="load " * 8,
        public_url=work.PUBLIC_URL,
        twilio=account,
        data_keys=keys,
    )

    def clock() -> datetime:
        return utc_now() + ahead

    return Deps(config, clock, TwilioGateway(account, work.PUBLIC_URL))
