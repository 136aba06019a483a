"""Reads along with every line that any test logs, and fails the test that logs about a person.

What was written into the rows of people while a test ran (names, numbers, addresses, notes,
texts) must be in none of its lines; nor may anything that looks like a telephone number or an
e-mail address. Lines are read as production writes them.
"""

import logging
import re
from pathlib import Path
from typing import Any

from sqlalchemy import event

from outreach import logs
from outreach.accounts.models import StaffMember
from outreach.calls.models import CallNote, Promise
from outreach.concerns.models import ConcernStep
from outreach.messaging.models import InboundText, Message
from outreach.patients.models import Patient, PhoneNumber

PERSONAL: dict[type, tuple[str, ...]] = {
    Patient: ("given_name", "family_name", "preferred_name", "about", "record_number"),
    PhoneNumber: ("e164",),
    StaffMember: ("name", "email", "phone", "work_phone"),
    CallNote: ("text",),
    Promise: ("text",),
    ConcernStep: ("note",),
    Message: ("body", "to_number"),
    InboundText: ("body", "from_number"),
}
SHORTEST = 4  # a word of three letters is in other words
_NUMBER = re.compile(r"\+\d{8,15}\b|\b\(?\d{3}\)?[ -]\d{3}-\d{4}\b")
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.\w+")


class LogWatch(logging.Handler):
    """Keeps lines in a file, and those that tell of a person."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonLine("test"))
        self.file: Path | None = None
        self._values: set[str] = set()
        self._found: list[str] = []
        for model, names in PERSONAL.items():
            for moment in ("before_insert", "before_update"):
                event.listen(model, moment, self._note(names), propagate=True)

    def begin(self) -> None:
        """Forget the people of the test before."""
        self._values.clear()
        self._found.clear()

    def found(self) -> list[str]:
        """Return the lines of this test that tell of a person."""
        return list(self._found)

    def emit(self, record: logging.LogRecord) -> None:
        """Read one line."""
        line = self.format(record)
        if self.file:
            with self.file.open("a", encoding="utf-8") as kept:
                kept.write(line + "\n")
        if self.tells(line):
            self._found.append(line)

    def tells(self, line: str) -> bool:
        """Say whether ``line`` holds something about a person."""
        is_known = any(value in line for value in tuple(self._values))
        return is_known or bool(_NUMBER.search(line) or _ADDRESS.search(line))

    def _note(self, names: tuple[str, ...]) -> Any:
        def note(_mapper: object, _connection: object, row: object) -> None:
            for name in names:
                value = getattr(row, name, None)
                if isinstance(value, str) and len(value) >= SHORTEST:
                    self._values.add(value)

        return note


watch = LogWatch()
