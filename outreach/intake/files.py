"""From the bytes of a file to its kind and its lines."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from outreach.errors import RuleBroken
from outreach.intake.rules import FileKind

LARGEST_BUNDLE = 24 * 1024 * 1024  # bytes; it is read at once
LONGEST_LINE = LARGEST_BUNDLE  # which may be a single line

Watch = Callable[[int], None]


class BadFile(RuleBroken):
    """A file can't be read at all; nothing of it was taken."""


@dataclass(frozen=True)
class Source:
    """A file to read: where it is, and what its owner calls it."""

    path: Path
    name: str

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.path.stat().st_size

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open it, to be read."""
        return self.path.open("rb")


def kind_of(source: Source) -> FileKind:
    """Return what a file holds, by its content and never by its name.

    Raises:
        BadFile: it is empty, or JSON but not FHIR.
    """
    first = next((line for line in _raw_lines(source) if line.strip(b"\xef\xbb\xbf \t\r\n")), None)
    if first is None:
        raise BadFile(f"{source.name} is empty.")
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        raise BadFile(f"{source.name} is JSON, but not FHIR: a Bundle begins with {{.")
    if start[:1] != b"{":
        names = start.lower()
        is_visits = b"visit_date" in names and b"given_name" not in names
        return FileKind.CSV_VISITS if is_visits else FileKind.CSV
    resource = json_object(start)
    if resource is None or resource.get("resourceType") == "Bundle":
        return FileKind.FHIR_BUNDLE
    if "resourceType" not in resource:
        raise BadFile(f"{source.name} is JSON, but not FHIR: it has no resourceType.")
    return FileKind.FHIR_NDJSON


def lines(source: Source, watch: Watch) -> Iterator[str]:
    """Yield each line of a file as text, telling ``watch`` how many bytes it had.

    Raises:
        BadFile: a line is not UTF-8 text, or far too long; the message names it.
    """
    for count, raw in enumerate(_raw_lines(source), start=1):
        watch(len(raw))
        if b"\0" in raw:
            raise BadFile(_not_text(source, count, raw))
        try:
            text = raw.decode("utf-8-sig" if count == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise BadFile(_not_text(source, count, raw)) from error
        yield text


def bundle(source: Source, watch: Watch) -> dict[str, Any]:
    """Return the Bundle that a file holds.

    Raises:
        BadFile: it is too large to be read at once, or not a Bundle.
    """
    if source.size > LARGEST_BUNDLE:
        megabytes = LARGEST_BUNDLE // 1024 // 1024
        raise BadFile(
            f"{source.name} is a Bundle of more than {megabytes} MB; export it as NDJSON instead."
        )
    found = json_object("".join(lines(source, watch)))
    if found is None or found.get("resourceType") != "Bundle":
        raise BadFile(f"{source.name} is not a FHIR Bundle: its JSON can't be read.")
    return found


def sha256_of(sources: list[Source]) -> str:
    """Return one hash over the content of all files, in their order."""
    total = hashlib.sha256()
    for source in sources:
        with source.open() as stream:
            while chunk := stream.read(1024 * 1024):
                total.update(chunk)
    return total.hexdigest()


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """Return the JSON object that ``text`` is, with exact numbers, or None."""
    try:
        found = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _raw_lines(source: Source) -> Iterator[bytes]:
    with source.open() as stream:
        count = 0
        while raw := stream.readline(LONGEST_LINE + 1):
            count += 1
            if len(raw) > LONGEST_LINE:
                raise BadFile(f"{source.name}: line {count} is far too long for a table or NDJSON.")
            yield raw


def _not_text(source: Source, count: int, raw: bytes) -> str:
    if count == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"{source.name} is UTF-16 text. Save it as 'CSV UTF-8' and try again."
    if count == 1 and raw.startswith(b"PK"):
        return f"{source.name} is a spreadsheet or archive. Save the sheet as 'CSV UTF-8'."
    return f"{source.name}: line {count} is not UTF-8 text. Save the file as 'CSV UTF-8'."
