"""The key of what is looked up: kept in the database, sealed with those of the installation.

A stop is found by its number, so two numbers that are compared must have used one key. That one
would have to stay in the file of keys for ever, and whoever read the file once would read every
number after. Sealed in the database it stays while the keys that seal it come and go, and is moved
to the newest as all else that is only read. Neither a stolen file of keys nor a stolen database
tells it alone.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Text, delete, inspect, select, type_coerce
from sqlalchemy.orm import Session

from config import Config, replace_secret
from outreach import orm
from outreach.encryption import KEY_BYTES, CannotDecrypt, Cipher, DataKey
from outreach.upkeep.models import LookUpKey

_ONLY = 1
_PLACE = "look_up_key.secret"


class CannotLayOpen(RuntimeError):
    """An operator has to do something first; the message says what."""


class Kept(NamedTuple):
    """The key as it lies in the database: what values name it by, and its secret, encrypted."""

    id: str
    secret: str


def is_there(connection: Connection) -> bool:
    """Say whether a key can be kept: the database may be of an older release."""
    return inspect(connection).has_table(LookUpKey.__tablename__)


def kept(connection: Connection) -> Kept | None:
    """Return what the database keeps, if anything."""
    if not is_there(connection):
        return None
    query = select(LookUpKey.key_id, type_coerce(LookUpKey.secret, Text()))
    found = connection.execute(query).one_or_none()
    return None if found is None else Kept(*found)


def of(connection: Connection, keys: Sequence[DataKey]) -> DataKey | None:
    """Return the key, None where the database keeps none: there the oldest of ``keys`` looks up.

    Raises:
        CannotDecrypt: it was sealed with a key that is not among ``keys``.
    """
    found = kept(connection)
    if found is None:
        return None
    if not keys:
        raise CannotDecrypt("There is no key at all.")
    return DataKey(found.id, base64.b64decode(Cipher(keys).decrypt(found.secret, place=_PLACE)))


def new() -> DataKey:
    """Return a key that nobody has seen."""
    return DataKey(f"n{secrets.token_hex(3)}", secrets.token_bytes(KEY_BYTES))


def keep(session: Session, key: DataKey, *, now: datetime) -> bool:
    """Keep ``key`` where none is kept; say whether that was done. Does not commit."""
    row = {
        "id": _ONLY,
        "key_id": key.id,
        "secret": base64.b64encode(key.secret).decode(),
        "made_at": now,
    }
    return bool(orm.insert_new(session, LookUpKey, [row]))


def replace(session: Session, key: DataKey, *, now: datetime) -> None:
    """Keep ``key`` and no other. Does not commit."""
    session.execute(delete(LookUpKey))
    keep(session, key, now=now)


def lay_open(connection: Connection, config: Config) -> None:
    """Write the key into the file of keys, as the oldest: where a release before 0071 has it.

    Raises:
        CannotLayOpen: there is no file; the message says what to put where.
    """
    found = of(connection, [DataKey(*each) for each in config.data_keys])
    if found is None or found.id == config.data_keys[0][0]:
        return
    line = f"{found.id}:{base64.b64encode(found.secret).decode()}"
    if config.data_key_file is None:
        raise CannotLayOpen(f"First put this at the beginning of DATA_KEYS, and a comma: {line}")
    replace_secret(config.data_key_file, f"{line}\n{config.data_key_file.read_text()}")
