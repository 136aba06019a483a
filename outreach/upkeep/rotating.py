"""Moving encrypted values to another key, and saying what each key still holds.

Values that are only read move while the product runs, a page at a time: a row that somebody
changed meanwhile is left to the next run. What is looked up moves all at once, with everything
stopped, since two values that are compared must have used one key. What is still in clear, as
names of the staff from before they were encrypted, is sealed while everything runs.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    func,
    not_,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from outreach.encryption import FORMS, CannotDecrypt, Cipher, key_of
from outreach.factors import authenticator
from outreach.factors.models import Authenticator
from outreach.inbox import answers
from outreach.messaging.models import Message
from outreach.orm import Model, Sessions, reading
from outreach.sealed_sql import AlreadyEncrypted
from outreach.sealing import (
    Findable,
    OnceInClear,
    Recipient,
    SealedType,
    filled,
    is_in_clear,
    opened_twice,
)
from outreach.searching import index

log = logging.getLogger(__name__)

PAGE = 500
SAMPLE = 200  # of each column, the newest; a look at every value takes minutes

Recrypt = Callable[[str], str]


@dataclass(frozen=True)
class Place:
    """One column of encrypted values, and what is bound into each of them.

    ``may_be_in_clear``: some are of before it was encrypted. ``may_be_twice``: a process of
    before may have sealed what was sealed already.
    """

    column: Column[Any]
    place: str
    is_found_by: bool
    may_be_in_clear: bool = False
    may_be_twice: bool = False

    @property
    def key(self) -> Column[Any]:
        """The primary key of the table."""
        return next(iter(self.column.table.primary_key.columns))

    @property
    def raw(self) -> Any:
        """The column as it lies in the database."""
        return type_coerce(self.column, Text())

    @property
    def is_in_clear(self) -> ColumnElement[bool]:
        """The condition that a value was never encrypted."""
        return not_(or_(*(self.raw.startswith(f"{form}.") for form in FORMS)))

    def opened(self, cipher: Cipher, value: str) -> bytes:
        """Return what was encrypted."""
        if self.may_be_in_clear and is_in_clear(value):
            return value.encode()
        if self.may_be_twice:
            return opened_twice(cipher, value, place=self.place).encode()
        opens = cipher.decrypt_alike if self.is_found_by else cipher.decrypt
        return opens(value, place=self.place)

    def moved(self, value: str, source: Cipher, target: Cipher) -> str:
        """Return ``value`` of ``source`` as ``target`` encrypts it."""
        plain = filled(self.opened(source, value), getattr(self.column.type, "pad", 0))
        if self.is_found_by:
            return target.encrypt_alike(plain, place=self.place)
        return target.encrypt(plain, place=self.place)


@dataclass
class Moved:
    """How many values were encrypted anew, and the rows of each table where one can't be read."""

    count: int = 0
    unreadable: dict[str, list[int]] = field(default_factory=dict)

    def moved(
        self, place: Place, rows: Sequence[tuple[int, str]], recrypt: Recrypt
    ) -> list[tuple[int, str, str]]:
        """Return key, old and new value of ``rows``; keep in mind what can't be decrypted."""
        found = []
        for key, value in rows:
            try:
                found.append((key, value, recrypt(value)))
            except CannotDecrypt:
                self.unreadable.setdefault(place.column.table.name, []).append(key)
        return found


class CannotMove(RuntimeError):
    """Values can't be decrypted, so their key can't be retired; ``unreadable`` says whose."""

    def __init__(self, unreadable: Mapping[str, Sequence[int]]) -> None:
        super().__init__("Some values can't be decrypted.")
        self.unreadable = unreadable


def places() -> list[Place]:
    """Return every encrypted column of the database."""
    found = [
        Place(
            column,
            column.type.place,
            is_found_by=isinstance(column.type, Findable),
            may_be_in_clear=isinstance(column.type, OnceInClear),
            may_be_twice=isinstance(column.type, Recipient),
        )
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedType)
    ]
    secret = Model.metadata.tables[Authenticator.__tablename__].columns["secret"]
    return [*found, Place(secret, authenticator.PLACE, is_found_by=False)]


def count_by_key(connection: Connection) -> dict[str, int]:
    """Return how many values name each key. Reads every value's beginning, and none of it all."""
    counts: dict[str, int] = {}
    for place in places():
        second = func.substr(place.raw, 4)  # behind "v1." or "s1."
        key_id = _until_stop(connection, second)
        query = select(key_id, func.count()).where(place.raw.is_not(None)).group_by(key_id)
        if place.may_be_in_clear:
            query = query.where(not_(place.is_in_clear))
        for key, count in connection.execute(query):
            counts[key] = counts.get(key, 0) + count
    return counts


def count_in_clear(connection: Connection) -> int:
    """Return how many values wait to be encrypted for the first time."""
    return sum(
        connection.scalar(select(func.count()).where(place.is_in_clear)) or 0
        for place in places()
        if place.may_be_in_clear
    )


def seal(sessions: Sessions, cipher: Cipher) -> Moved:
    """Encrypt what is still in clear, a page a transaction.

    The release before can't read it: not while one of its processes may run.
    """
    done = Moved()
    for place in places():
        if place.may_be_in_clear:
            _reseal(sessions, place, cipher, done, which=place.is_in_clear)
    return done


def reseal(sessions: Sessions, cipher: Cipher) -> Moved:
    """Encrypt what is only read with the newest key, and what is in clear; a page a transaction.

    What can't be decrypted stays as it is, and never stops the rest.
    """
    done = seal(sessions, cipher)
    for place in places():
        if not place.is_found_by:
            _reseal(sessions, place, cipher, done)
    return done


def retire(session: Session, cipher: Cipher, remaining: Cipher) -> int:
    """Move everything to ``remaining``, the keys without the oldest; return how many values.

    Does not commit. Nothing else may run until the oldest key is out of the configuration.
    The search index waits to be made anew.

    Raises:
        CannotMove: values can't be decrypted; nothing may be committed.
    """
    connection = session.connection()
    done = Moved()
    for place in places():
        is_due = {cipher.oldest, None} if place.may_be_in_clear else {cipher.oldest}
        for page in _pages(connection, place, after=None):
            rows = [(key, value) for key, value in page if key_of(value) in is_due]
            moved = done.moved(place, rows, partial(place.moved, source=cipher, target=remaining))
            done.count += _write(connection, place, moved)
    if done.unreadable:
        raise CannotMove(done.unreadable)
    _hash_anew(session, cipher, remaining)
    index.rebuild(session)
    return done.count


def _hash_anew(session: Session, cipher: Cipher, remaining: Cipher) -> None:
    """Hash the numbers in keys of answers with ``remaining``: the retired key would tell whose.

    So the second answer of a day stays impossible. A hash that is not of the row's number, or
    of a key that went before, gives way to chance.
    """
    starts = or_(*(Message.dedupe_key.startswith(f"{cause}:") for cause in answers.HASHED))
    number = next(place for place in places() if place.column is Message.__table__.c.to_number)
    values = []
    for row in session.execute(select(Message.id, Message.dedupe_key, number.raw).where(starts)):
        cause, clinic, known_by, rest = row[1].split(":", 3)
        plain = number.opened(remaining, row[2]).decode()
        is_of_it = known_by == cipher.keyed_hash(plain, place=answers.KEY_PLACE)[:16].hex()
        fresh = remaining.keyed_hash(plain, place=answers.KEY_PLACE)[:16]
        fresh = fresh if is_of_it else secrets.token_bytes(16)
        values.append({"text": row[0], "fresh": f"{cause}:{clinic}:{fresh.hex()}:{rest}"})
    table = Message.__table__
    statement = update(Message).where(table.c.id == bindparam("text"))
    if values:
        session.connection().execute(statement.values(dedupe_key=bindparam("fresh")), values)


def unreadable(
    connection: Connection, cipher: Cipher, *, most: int | None = SAMPLE
) -> Iterator[tuple[str, list[int]]]:
    """Yield the table and the ids of rows with a value that can't be decrypted.

    Args:
        most: how many values of each column are looked at, the newest; None for all.
    """
    for place in places():
        query = select(place.key, place.raw).where(place.raw.is_not(None))
        rows = connection.execute(query.order_by(place.key.desc()).limit(most))
        bad = [key for key, value in rows if not _is_readable(place, cipher, value)]
        if bad:
            yield place.column.table.name, sorted(bad)


def _is_readable(place: Place, cipher: Cipher, value: str) -> bool:
    try:
        place.opened(cipher, value)
    except CannotDecrypt:
        return False
    return True


def _reseal(
    sessions: Sessions,
    place: Place,
    cipher: Cipher,
    done: Moved,
    *,
    which: ColumnElement[bool] | None = None,
) -> None:
    after = None
    while True:
        with reading(), sessions() as session:
            page = next(_pages(session.connection(), place, after=after, which=which), None)
        if page is None:
            return
        old = [(key, value) for key, value in page if not cipher.is_newest(value)]
        moved = done.moved(place, old, partial(place.moved, source=cipher, target=cipher))
        done.count += _write_by_itself(sessions, place, moved)
        after = page[-1][0]


def _pages(
    connection: Connection,
    place: Place,
    *,
    after: int | None,
    which: ColumnElement[bool] | None = None,
) -> Iterator[Sequence[tuple[int, str]]]:
    query = select(place.key, place.raw).where(place.raw.is_not(None)).order_by(place.key)
    query = query if which is None else query.where(which)
    while True:
        further = query if after is None else query.where(place.key > after)
        page = [(key, value) for key, value in connection.execute(further.limit(PAGE))]
        if not page:
            return
        yield page
        after = page[-1][0]


def _write_by_itself(sessions: Sessions, place: Place, rows: Sequence[tuple[int, str, str]]) -> int:
    """As :func:`_write`, in a transaction of its own.

    What is unique may be there sealed and in clear: written at one moment by two processes, of
    which one still lets the release before read it. That one stays in clear, and is told.
    """
    try:
        with sessions.begin() as session:
            return _write(session.connection(), place, rows)
    except IntegrityError:
        if len(rows) > 1:
            return sum(_write_by_itself(sessions, place, [row]) for row in rows)
        table, key = place.column.table.name, rows[0][0]
        log.error("%s %s: another row has the same %s", table, key, place.place)  # noqa: TRY400 - the error names the value
        return 0


def _write(connection: Connection, place: Place, rows: Sequence[tuple[int, str, str]]) -> int:
    """Write values anew where they still are what was read; return how many.

    Args:
        rows: the key of the row, the value that was read, and the new one.
    """
    if not rows:
        return 0
    statement = (
        update(place.column.table)
        .where(place.key == bindparam("row_key"), place.raw == bindparam("old", type_=Text()))
        .values({place.column.name: bindparam("new", type_=AlreadyEncrypted())})
    )
    values = [{"row_key": key, "old": old, "new": new} for key, old, new in rows]
    return connection.execute(statement, values).rowcount


def _until_stop(connection: Connection, value: Any) -> Any:
    """Return the text before the first full stop, in SQL."""
    if connection.dialect.name == "sqlite":
        return func.substr(value, 1, func.instr(value, ".") - 1)
    return func.split_part(value, ".", 1)
