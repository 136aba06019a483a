"""What comes from outside: numbers no larger than any database keeps, and no more than is asked."""

import re

from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**31 - 1  # of PostgreSQL's INTEGER, which our ids are; SQLite keeps more

LARGEST_FORM = 2 * 1024 * 1024  # bytes; a file to import may be larger

_DIGITS = re.compile(r"[0-9]{1,10}")


class RowId(IntegerConverter):
    """The ``int`` of every address: what no row can have as its id is not there."""

    def __init__(self, map: Map) -> None:  # noqa: A002 - werkzeug's own name
        super().__init__(map, max=LARGEST)


def whole(text: str | None) -> int | None:
    """Return a parameter as a number from 0 to LARGEST; None where it is no such number."""
    if text is None or not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if number <= LARGEST else None
