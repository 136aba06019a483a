"""Whether the keys of a process fit the database, asked before the first value is written.

A stop is found by its number as the oldest key encrypts it. With another oldest key nothing
would fail: every number would be new. So each process reads one stored value first.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from config import Config, make_data_key
from outreach import orm, sealing
from outreach.accounts.models import Clinic, StaffMember
from outreach.encryption import CannotDecrypt, Cipher, DataKey, key_of
from outreach.factors.models import Authenticator
from outreach.panels.models import Absence
from outreach.reports.models import Target
from outreach.searching import hashed
from outreach.upkeep import forgetting
from outreach.upkeep.rotating import Place, places

log = logging.getLogger(__name__)

Keys = Sequence[tuple[str, bytes]]


class KeysDontFit(sealing.NoKeys):
    """The keys of the configuration are not those of the database; the message says what to do."""


def begin(config: Config) -> None:
    """Tell this process its keys, once they are known to fit the database.

    Where the database does not answer, it is asked again when the first value needs a key.

    Raises:
        KeysDontFit: nothing may be read or written with these keys.
    """
    try:
        tell(config)
    except OperationalError:
        log.warning("the database does not answer: the keys are held against it later")
        sealing.ask_first(lambda: tell(config))


def tell(config: Config) -> None:
    """As :func:`begin`, but fail where the database does not answer."""
    found = _asked(config)
    if found.trouble:
        raise KeysDontFit(found.trouble)
    seconds = sealing.RENEWED_WITHIN_SECONDS if found.has_any_in_clear else 0
    sealing.use(config.data_keys, config.encrypting_key, in_clear_for=seconds)
    hashed.let_older_search(sealing.RENEWED_WITHIN_SECONDS if found.has_old_tokens else 0)


def make_first(config: Config) -> bool:
    """Make the key of a new installation; say whether that was done.

    Only where there is none yet and nothing that one was needed for: a key that is missing
    has to be found, and a new one would hide it.
    """
    if config.data_keys or config.data_key_file is None:
        return False
    engine = _engine(config)
    if engine is not None:
        try:
            with orm.reading(), engine.connect() as connection:
                if _holds_anything(connection):
                    return False
        finally:
            engine.dispose()
    make_data_key(config.data_key_file)
    return True


def marker(config: Config) -> Path:
    """Return the file that is there while the oldest key is being retired."""
    return config.instance_path / "retiring_key"


def key_in_use(connection: Connection) -> str | None:
    """Return the id of the key that a stored value names, None where nothing is encrypted."""
    value = _first_value(connection)[1]
    return key_of(value) if value else None


def trouble(connection: Connection, keys: Keys) -> str | None:
    """Return why ``keys``, oldest first, don't fit the database, None where they do."""
    place, value = _first_value(connection)
    used = key_of(value) if value else None
    if not keys:
        return _without_key(connection, used)
    oldest = keys[0][0]
    if place and value and used:
        if place.is_found_by and used != oldest:
            return (
                f"The numbers in the database are encrypted with the key {used}; the oldest key"
                f" here is {oldest}. Put {used} first again, or take out what was retired:"
                " see Keys in docs/operations.md."
            )
        try:
            place.opened(Cipher([DataKey(*each) for each in keys]), value)
        except CannotDecrypt:
            return (
                f"The database is encrypted with a key {used} that is not here, or is another"
                " one. Put the copy of the data keys back: see Keys in docs/operations.md."
            )
    return None


class _Found(NamedTuple):
    """Why the keys don't fit, and whether the release before may still be at work."""

    trouble: str | None
    has_any_in_clear: bool = False
    has_old_tokens: bool = False


def _asked(config: Config) -> _Found:
    if marker(config).exists():
        return _Found(
            "A key is being retired, or that was cut off. Run it again:"
            " flask --app outreach keys retire --everything-is-stopped"
        )
    engine = _engine(config)
    if engine is None:
        return _Found(None if config.data_keys else _NOT_YET)
    try:
        with orm.reading(), engine.connect() as connection:
            words = trouble(connection, config.data_keys)
            if words:
                return _Found(words)
            return _Found(None, _has_any_in_clear(connection), forgetting.is_due(connection))
    finally:
        engine.dispose()


def _has_any_in_clear(connection: Connection) -> bool:
    """Say whether something of the staff or a clinic was never encrypted, as after an upgrade.

    Asked of the tables that are there whenever a clinic works, and of what people wrote about
    the staff and their aims; others may have many rows.
    """
    asked = {each.__table__ for each in (StaffMember, Clinic, Absence, Target)}
    return any(
        connection.scalar(select(place.key).where(place.is_in_clear).limit(1))
        for place in places()
        if place.may_be_in_clear and place.column.table in asked and _is_there(connection, place)
    )


_NOT_YET = "There is no data key yet. 'alembic upgrade head' makes it with the first tables."


def _without_key(connection: Connection, used: str | None) -> str:
    if used:
        return (
            f"There is no data key, but the database is encrypted with the key {used}. Put the"
            " copy of the data keys back, or check INSTANCE_PATH and DATA_KEYS."
        )
    if _holds_anything(connection):
        return (
            "There is no data key, but the database has patients. Check INSTANCE_PATH and"
            " DATA_KEYS. Only if this installation never had a key:"
            " flask --app outreach keys add"
        )
    return _NOT_YET


def _engine(config: Config) -> Engine | None:
    """Return an engine, None where it would make the file that it looks for."""
    url = make_url(config.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database
    if is_file and not Path(url.database or "").exists():
        return None
    return orm.make_engine(config.database_url)


def _first_value(connection: Connection) -> tuple[Place | None, str | None]:
    """Return one encrypted value, what is looked up before what is only read."""
    for place in _asked_of():
        if _is_there(connection, place):
            query = select(place.raw).where(place.raw.is_not(None)).order_by(place.key).limit(1)
            value = connection.scalar(query)
            if value and key_of(value):
                return place, value
    return None, None


def _asked_of() -> Iterator[Place]:
    """Yield a column of each table that rows are found by, then the secrets of second factors."""
    seen: set[str] = set()
    of_factors = Authenticator.__tablename__
    for place in sorted(places(), key=lambda each: not each.is_found_by):
        table = place.column.table.name
        if table not in seen and (place.is_found_by or table == of_factors):
            seen.add(table)
            yield place


def _is_there(connection: Connection, place: Place) -> bool:
    """Say whether the column is there: the database may be of an older release."""
    return _has(connection, place.column.table.name, place.column.name)


def _has(connection: Connection, table: str, column: str) -> bool:
    found = inspect(connection)
    return found.has_table(table) and column in {each["name"] for each in found.get_columns(table)}


def _holds_anything(connection: Connection) -> bool:
    """Say whether a patient, or a value that needs a key, is in the database."""
    patient = next(each for each in places() if each.place == "patient.record_number")
    if _is_there(connection, patient) and connection.scalar(select(patient.key).limit(1)):
        return True
    return _first_value(connection)[1] is not None
