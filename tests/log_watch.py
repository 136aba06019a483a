"""Reads along with every line that any test logs, and fails the test that logs about a person.

What was encrypted or decrypted while a test ran (names, numbers, notes, texts, what is being
typed) must be in none of its lines, however it came into a row or out of one; nor may anything
that looks like a telephone number or an e-mail address. The lines of processes that a test starts
are read too: what they write to their standard error, and files ``*.log`` in the test's folder.
"""

import json
import logging
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outreach import logs
from outreach.encryption import Cipher
from scripts.demo import names

# Of these one word tells who somebody is. Elsewhere one word ("completed", "yes") is everyday.
NAMING = frozenset(
    {
        "patient.given_name", "patient.family_name", "patient.preferred_name", "patient.said_as",
        "patient.record_number", "number", "staff name", "staff e-mail", "staff number",
        "approver", "emergency_contact.name", "emergency_contact.e164",
    }
)  # fmt: skip
NO_PERSON = frozenset({"clinic number"})
SHORTEST_NAME = 4  # a word of three letters is in other words
SHORTEST_NUMBER = 7  # digits: fewer are a year, a port or an id
SHORTEST_WORDS = 8
# Whom builders and the demo make up. A process that a test starts may log them as well, and no
# test needs to have read a row of theirs.
MADE_UP = frozenset(
    {
        "Rosa", "Walk to the church", "Ask how the dentist went", "My cat is ill",
        *(
            name
            for kept in (names.WOMEN, names.MEN, names.FAMILIES)
            for group in kept.values()
            for name in group
        ),
    }
)  # fmt: skip
_NUMBER = re.compile(r"\+\d{8,15}\b|\b\(?\d{3}\)?[ -]\d{3}-\d{4}\b")
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.(?!service\b)\w+")  # a unit is worker@1.service
_BLANK = re.compile(r"(?:\s|\\[nrt])+")  # a line end stands escaped in a plain line


class LogWatch(logging.Handler):
    """Keeps lines in a file, and finds those that tell of a person."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonLine("test"))
        self.file: Path | None = None
        self._sealed: set[tuple[str, bytes]] = set()
        self._values: set[str] = set()
        self._lines: list[str] = []
        self._is_on_purpose = False
        self._has_told = False

    def listen(self) -> None:
        """Note from now on what this process encrypts, decrypts, and hears of its children."""
        for seals in ("encrypt", "encrypt_alike"):
            setattr(Cipher, seals, self._noting_given(getattr(Cipher, seals)))
        for opens in ("decrypt", "decrypt_alike"):
            setattr(Cipher, opens, self._noting_found(getattr(Cipher, opens)))
        communicate = subprocess.Popen.communicate

        def heard(process: Any, *given: Any, **named: Any) -> Any:
            out, err = communicate(process, *given, **named)
            self.hear(err.decode(errors="replace") if isinstance(err, bytes) else err or "")
            return out, err

        subprocess.Popen.communicate = heard  # type: ignore[method-assign,assignment]

    def begin(self) -> None:
        """Forget the people and the lines of the test before."""
        self._sealed.clear()
        self._values.clear()
        self._lines.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Read one line."""
        line = self.format(record)
        self._lines.append(line)
        if self.file and not self._is_on_purpose:
            with self.file.open("a", encoding="utf-8") as kept:
                kept.write(line + "\n")

    def hear(self, text: str) -> None:
        """Read what another process said."""
        self._lines += text.splitlines()

    def hear_files(self, folder: Path) -> None:
        """Read what processes wrote into files of a folder."""
        for file in folder.rglob("*.log"):
            self.hear(file.read_text(encoding="utf-8", errors="replace"))

    def found(self) -> list[str]:
        """Return the lines of this test that tell of a person, however late that was known."""
        told = self.told_in(self._lines)
        self._has_told |= bool(told) and not self._is_on_purpose
        return told

    def told_in(self, lines: Iterable[str]) -> list[str]:
        """Return those of ``lines`` that tell of a person."""
        told = {line: _plain(line) for line in lines}
        if not told:
            return []
        everything = "\n".join(told.values())
        said = [value for value in self._known() if value in everything]
        return [line for line, words in told.items() if _tells(words, said)]

    def tells(self, line: str) -> bool:
        """Say whether ``line`` holds something about a person."""
        return bool(self.told_in([line]))

    @contextmanager
    def on_purpose(self) -> Iterator[list[str]]:
        """Let a test log about somebody; yield what the watch has found once that is over."""
        seen: list[str] = []
        self._is_on_purpose = True
        try:
            yield seen
        finally:
            seen += self.found()
            self._is_on_purpose = False
            self._lines.clear()

    def found_in_the_file(self) -> list[str]:
        """Return the lines of the whole run that tell of somebody made up, forks' too.

        None where a test was failed for its lines already: they are in the file as well.
        """
        if self._has_told or self.file is None or not self.file.exists():
            return []
        kept = self.file.read_text(encoding="utf-8").splitlines()
        return [line for line in kept if _tells(_plain(line), MADE_UP)]

    def _known(self) -> set[str]:
        for place, plain in self._sealed:
            self._values.update(_telling(place, plain))
        self._sealed.clear()
        return self._values | MADE_UP

    def _noting_given(self, seal: Callable[..., str]) -> Callable[..., str]:
        def noted(cipher: Cipher, plain: bytes, *, place: str = "") -> str:
            self._sealed.add((place, bytes(plain)))
            return seal(cipher, plain, place=place)

        return noted

    def _noting_found(self, opens: Callable[..., bytes]) -> Callable[..., bytes]:
        def noted(cipher: Cipher, value: str, *, place: str = "") -> bytes:
            plain = opens(cipher, value, place=place)
            self._sealed.add((place, plain))
            return plain

        return noted


def _telling(place: str, plain: bytes) -> Iterator[str]:
    """Yield what in a value would tell who somebody is, or what was said of them."""
    try:
        value = plain.decode()
    except UnicodeDecodeError:  # a key
        return
    for words in map(_on_one_line, _texts(value)):
        if tells_of_somebody(words, place):
            yield words


def tells_of_somebody(words: str, place: str) -> bool:
    """Say whether ``words`` of a ``place`` are more than an everyday value: see NAMING."""
    if place in NO_PERSON:
        return False
    if words.strip("+").isdigit():
        return len(words) >= SHORTEST_NUMBER
    if place in NAMING:
        return len(words) >= SHORTEST_NAME
    return " " in words and len(words) >= SHORTEST_WORDS


def _texts(value: str) -> Iterator[str]:
    """Yield the texts in a value: itself, or those in the JSON that it is."""
    if value[:1] not in {"{", "["}:
        yield value
        return
    try:
        yield from _within(json.loads(value))
    except ValueError:
        yield value


def _within(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict | list):
        for each in told.values() if isinstance(told, dict) else told:
            yield from _within(each)


def _plain(line: str) -> str:
    """Return a line as people read it: JSON writes letters with accents as codes."""
    return _on_one_line(" ".join(_texts(line)))


def _on_one_line(text: str) -> str:
    return _BLANK.sub(" ", text).strip()


def _tells(words: str, values: Iterable[str]) -> bool:
    return bool(_NUMBER.search(words) or _ADDRESS.search(words)) or any(
        value in words and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", words) for value in values
    )


watch = LogWatch()
