"""Columns whose values are encrypted on their way into the database and decrypted out of it.

Two kinds: :class:`Sealed` for what is only read, :class:`Findable` for what rows are found by;
of these :class:`OnceInClear`, which reads what is of before it was encrypted too, and
:class:`Recipient`.
What the database would answer wrongly about them, :mod:`outreach.sealed_sql` refuses. The keys
are those of the process, told once by :func:`use` before the first row is read. A value that
can't be decrypted is an error, never an empty text.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import JSON, ColumnElement, Dialect, or_, type_coerce
from sqlalchemy.sql import operators
from sqlalchemy.types import Text, TypeDecorator, TypeEngine

from outreach.encryption import CannotDecrypt, Cipher, DataKey, key_of
from outreach.sealed_sql import CAN_BE_ASKED, Encrypted

log = logging.getLogger(__name__)

_CAN_BE_COMPARED = {operators.eq, operators.ne, operators.in_op, operators.not_in_op}
# For so long processes of the release before may run beside ours, and none longer.
RENEWED_WITHIN_SECONDS = 6 * 3600
_in_use: list[Cipher] = []
_first: list[Callable[[], None]] = []
_sealing_all_from = [0.0]  # by time.monotonic


class NoKeys(RuntimeError):
    """Nobody told this process which keys its values are encrypted with."""


def use(
    keys: Sequence[tuple[str, bytes]],
    encrypting: str | None = None,
    *,
    in_clear_for: float = 0,
) -> None:
    """Encrypt and decrypt with ``keys`` (id and 32 bytes each, oldest first) from now on.

    Args:
        keys: of this installation.
        encrypting: the id of the one that encrypts, the newest where none is named.
        in_clear_for: seconds for which what is :class:`OnceInClear` is written in clear yet.
    """
    _in_use[:] = [Cipher([DataKey(*each) for each in keys], encrypting)]
    _sealing_all_from[:] = [time.monotonic() + in_clear_for]


def ask_first(told: Callable[[], None]) -> None:
    """Use no key until ``told``, called when one is needed, has said which: see :func:`use`."""
    _in_use[:], _first[:] = [], [told]


def is_ready() -> bool:
    """Say whether this process was told its keys."""
    return bool(_in_use)


def cipher() -> Cipher:
    """Return what encrypts the values of this process.

    Raises:
        NoKeys: :func:`use` was not called, or the keys don't fit the database.
    """
    if not _in_use and _first:
        _first[0]()
    if not _in_use:
        raise NoKeys("Call sealing.use with the keys of the configuration first.")
    return _in_use[0]


def keyed_hash(value: str, *, place: str) -> str:
    """Return 32 hexadecimal digits by which ``value`` is known again, and never read."""
    return cipher().keyed_hash(value, place=place)[:16].hex()


class SealedType(Encrypted, TypeDecorator[Any]):
    """What the kinds share. ``place`` is bound into each value: copied elsewhere, it is refused."""

    impl = Text
    cache_ok = True
    may_be: ClassVar[set[Any]] = CAN_BE_ASKED

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    class comparator_factory(TypeDecorator.Comparator[Any]):  # noqa: N801 - SQLAlchemy's name
        """Refuses what the database can't answer about an encrypted value."""

        def operate(self, op: Any, *other: Any, **options: Any) -> ColumnElement[Any]:
            """Return the condition, if the database can hold it."""
            kind = self.type
            assert isinstance(kind, SealedType)  # noqa: S101 - for the types
            if op in {operators.eq, operators.ne} and isinstance(other[0], ColumnElement):
                # Python compares columns too, as objects: refused only where it is asked in SQL.
                return super().operate(op, *other, **options)
            if op not in kind.may_be:
                raise TypeError(f"{kind.place} is encrypted: the database can't {op.__name__} it.")
            return super().operate(op, *other, **options)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """Encrypt what the column is compared with."""
        del op, value
        return self

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return ``value`` encrypted."""
        del dialect
        return None if value is None else self.sealed(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return what was encrypted."""
        del dialect
        return None if value is None else self.opened(value)

    def sealed(self, value: Any) -> str:
        """Return ``value`` as the database keeps it."""
        raise NotImplementedError

    def opened(self, value: str) -> Any:
        """Return what the database keeps as ``value``.

        Raises:
            CannotDecrypt: not with these keys, not of this place, or changed.
        """
        raise NotImplementedError


class Sealed(SealedType):
    """A text that is only read. Each time another nonce, so that alike texts look different.

    Args:
        place: is bound into each value.
        pad: up to a multiple of so many bytes it is filled with spaces, so that nobody sees how
            long a name is. The release before reads the spaces with it, and shows the same.
    """

    cache_ok = True

    def __init__(self, place: str, pad: int = 0) -> None:
        super().__init__(place)
        self.pad = pad

    def sealed(self, value: Any) -> str:
        """Return the text ``value`` encrypted."""
        return cipher().encrypt(filled(str(value).encode(), self.pad), place=self.place)

    def opened(self, value: str) -> Any:
        """Return the text."""
        text = cipher().decrypt(value, place=self.place).decode()
        return text.rstrip(" ") if self.pad else text


def filled(plain: bytes, pad: int) -> bytes:
    """Return a text with spaces up to a multiple of ``pad`` bytes, at least one; 0 for none."""
    return plain.ljust(max(1, -(-len(plain) // pad)) * pad) if pad else plain


class SealedJSON(Sealed):
    """A dictionary or list that is only read."""

    cache_ok = True

    def sealed(self, value: Any) -> str:
        """Return ``value`` as encrypted JSON."""
        return super().sealed(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def opened(self, value: str) -> Any:
        """Return what the JSON says."""
        return json.loads(super().opened(value))


class SealedWithin(TypeDecorator[dict[str, Any]]):
    """A dictionary in clear, but for the texts under some names: those lie in it encrypted.

    For rows that are done with in minutes. They move to no other key: where theirs is retired
    first, UNREADABLE stands for them.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, place: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self.place, self.names = place, names

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the dictionary with those texts encrypted."""
        del dialect
        return value if is_written_in_clear() else self._each(value, self._sealed)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the dictionary as it was given."""
        del dialect
        return self._each(value, self._opened)

    def _each(self, given: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
        return {
            name: change(text) if name in self.names and text else text
            for name, text in given.items()
        }

    def _sealed(self, text: str) -> str:
        return cipher().encrypt(text.encode(), place=self.place)

    def _opened(self, kept: str) -> str:
        if is_in_clear(kept):
            return kept
        try:
            return cipher().decrypt(kept, place=self.place).decode()
        except CannotDecrypt:
            log.warning("a text in %s can't be decrypted", self.place)
            return UNREADABLE


class Findable(SealedType):
    """A text that rows are found, joined and kept unique by: equal texts look equal.

    Columns that are compared with each other share their ``place``.
    """

    cache_ok = True
    may_be: ClassVar[set[Any]] = CAN_BE_ASKED | _CAN_BE_COMPARED

    def sealed(self, value: Any) -> str:
        """Return the text ``value`` encrypted, always in the same way."""
        return cipher().encrypt_alike(str(value).encode(), place=self.place)

    def opened(self, value: str) -> Any:
        """Return the text."""
        return cipher().decrypt_alike(value, place=self.place).decode()


class OnceInClear(Findable):
    """What is looked up, and was not encrypted in an earlier release: read and found as either.

    One that can't be decrypted is told in the log, and ``instead`` stands for it: these stand
    beside everything that people of a clinic do, and an error here would end all its pages, and
    keep everybody from being told of a concern.
    """

    cache_ok = True

    def __init__(self, place: str, *, instead: str | None = None) -> None:
        super().__init__(place)
        self.instead = instead

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return ``value`` encrypted, or as it is while the release before may have to read it."""
        if value is not None and is_written_in_clear():
            return str(value)
        return super().process_bind_param(value, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the text, ``instead`` where it can't be read."""
        del dialect
        return None if value is None else self.read(value)

    def read(self, value: str) -> str | None:
        """Return what the database keeps as ``value``, ``instead`` where it can't be read."""
        try:
            return str(self.opened(value))
        except CannotDecrypt:
            log.error("a %s can't be decrypted: 'check invariants' says whose", self.place)  # noqa: TRY400 - the same line each time, and no value
            return self.instead

    def opened(self, value: str) -> Any:
        """Return the text."""
        return value if is_in_clear(value) else super().opened(value)


class Recipient(Findable):
    """A number that a text goes to.

    A process of before 0065 takes what is sealed of a telephone of the staff for the number. An
    alert that it writes so goes out all the same: what was sealed twice is opened twice.
    """

    cache_ok = True

    def opened(self, value: str) -> Any:
        """Return the number."""
        return opened_twice(cipher(), value, place=self.place)


def opened_twice(opening: Cipher, value: str, *, place: str) -> str:
    """Return the number of a :class:`Recipient`, whether it was sealed once or twice.

    Raises:
        CannotDecrypt: not with these keys, not of this place, or changed.
    """
    number = opening.decrypt_alike(value, place=place).decode()
    if is_in_clear(number):
        return number
    return opening.decrypt_alike(number, place=STAFF_NUMBERS.place).decode()


def is_written_in_clear() -> bool:
    """Say whether the release before may have to read what this process writes."""
    return time.monotonic() < _sealing_all_from[0]


def is_in_clear(value: str) -> bool:
    """Say whether ``value``, as it was read, was never encrypted."""
    return key_of(value) is None


def is_either(column: Any, *values: str | None) -> ColumnElement[bool]:
    """Return the condition that what is :class:`OnceInClear` is one of ``values``.

    Sealed or in clear.
    """
    given = [value for value in values if value is not None]
    forms = [form for value in given for form in (value, column.type.sealed(value))]
    found = type_coerce(column, Text()).in_(forms)
    return or_(found, column.is_(None)) if len(given) < len(values) else found


def opener(column: Any) -> Callable[[str], Any]:
    """Return what opens a value that was read past the type of ``column``.

    For who reads many rows, of which one may not be readable: that one raises CannotDecrypt.
    """
    kind = column.type
    if not isinstance(kind, SealedType):
        raise TypeError(f"{column} is not encrypted.")
    return kind.opened


NAME_BYTES = 64  # as long as hardly any name is
NUMBER = "number"  # the place of telephone numbers of patients, wherever they stand
NUMBERS = Findable(NUMBER)
UNREADABLE = "?"  # no empty text: a name is split into words, a number is sent to a carrier
# Not the same place as patients' numbers: a patient may have a telephone of the staff.
STAFF_NUMBERS = OnceInClear("staff number")
STAFF_NAMES = OnceInClear("staff name", instead=UNREADABLE)
STAFF_EMAILS = OnceInClear("staff e-mail", instead=UNREADABLE)
APPROVERS = OnceInClear("approver", instead=UNREADABLE)  # the medical lead, or a publisher
# Where a clinic is rung and from where it sends. One place for all: an older process copies
# from one column to another as it lies.
CLINIC_NUMBERS = OnceInClear("clinic number", instead=UNREADABLE)
