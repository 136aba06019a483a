"""Columns whose values are encrypted on their way into the database and decrypted out of it.

Two kinds: :class:`Sealed` for what is only read, :class:`Findable` for what rows are found by.
What the database would answer wrongly about them, :mod:`outreach.sealed_sql` refuses. The keys
are those of the process, told once by :func:`use` before the first row is read. A value that
can't be decrypted is an error, never an empty text.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import Text, TypeDecorator, TypeEngine

from outreach.encryption import Cipher, DataKey
from outreach.sealed_sql import CAN_BE_ASKED, Encrypted

_CAN_BE_COMPARED = {operators.eq, operators.ne, operators.in_op, operators.not_in_op}
_in_use: list[Cipher] = []
_first: list[Callable[[], None]] = []


class NoKeys(RuntimeError):
    """Nobody told this process which keys its values are encrypted with."""


def use(keys: Sequence[tuple[str, bytes]], encrypting: str | None = None) -> None:
    """Encrypt and decrypt with ``keys`` (id and 32 bytes each, oldest first) from now on.

    ``encrypting``: the id of the one that encrypts, the newest where none is named.
    """
    _in_use[:] = [Cipher([DataKey(*each) for each in keys], encrypting)]


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
    """A text that is only read. Each time another nonce, so that alike texts look different."""

    cache_ok = True

    def sealed(self, value: Any) -> str:
        """Return the text ``value`` encrypted."""
        return cipher().encrypt(str(value).encode(), place=self.place)

    def opened(self, value: str) -> Any:
        """Return the text."""
        return cipher().decrypt(value, place=self.place).decode()


class SealedJSON(Sealed):
    """A dictionary or list that is only read."""

    cache_ok = True

    def sealed(self, value: Any) -> str:
        """Return ``value`` as encrypted JSON."""
        return super().sealed(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def opened(self, value: str) -> Any:
        """Return what the JSON says."""
        return json.loads(super().opened(value))


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


def opener(column: Any) -> Callable[[str], Any]:
    """Return what opens a value that was read past the type of ``column``.

    For who reads many rows, of which one may not be readable: that one raises CannotDecrypt.
    """
    kind = column.type
    if not isinstance(kind, SealedType):
        raise TypeError(f"{column} is not encrypted.")
    return kind.opened


NUMBER = "number"  # the place of telephone numbers of patients, wherever they stand
NUMBERS = Findable(NUMBER)
