"""The names of a clinic's patients, opened: in which order they come, and who has which words.

A value, packed so that a process can remember many clinics: a few long texts with a line a
patient, and where each line begins. No database.
"""

import enum
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from outreach.patients.rules import name_key, record_key
from outreach.searching.rules import Term, words_of_names

PAGE = 4_000  # patients

Mark = tuple[str, int]  # what somebody is sorted by, and who they are


class By(enum.Enum):
    """What patients are sorted by; ties by their id."""

    NAME = enum.auto()
    RECORD = enum.auto()


class Entry(NamedTuple):
    """One patient: what they are sorted by, and the words by which they are found."""

    name: str
    patient_id: int
    words: str
    record: str

    @classmethod
    def of(
        cls, patient_id: int, given: str, family: str, preferred: str | None, record_number: str
    ) -> "Entry":
        """Return the entry of a patient with these names."""
        words = words_of_names(given, family, preferred, record_number)
        return cls(
            _line(name_key(family, given)),
            patient_id,
            " ".join(words),
            _line(record_key(record_number)),
        )


class _Lines(Sequence[str]):
    """Many short texts as one."""

    def __init__(self, lines: Iterable[str]) -> None:
        parts = list(lines)
        self.text = "\n".join(parts)
        self._starts = array("I", [0])
        at = 0
        for part in parts:
            at += len(part) + 1
            self._starts.append(at)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, place: Any) -> Any:
        return self.text[self._starts[place] : self._starts[place + 1] - 1]

    def having(self, part: str) -> Iterator[int]:
        """Yield the places of the lines in which ``part`` stands."""
        at = self.text.find(part)
        while at >= 0:
            place = bisect_right(self._starts, at) - 1
            yield place
            at = self.text.find(part, self._starts[place + 1])


class Names:
    """The names of a clinic's patients. Never changed: see :meth:`changed`."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        in_order = sorted(entries)
        self.ids = array("q", [entry.patient_id for entry in in_order])
        self._names = _Lines(entry.name for entry in in_order)
        # A word stands between spaces, also the first and the last.
        self._words = _Lines(f" {entry.words} " for entry in in_order)
        self._records = _Lines(entry.record for entry in in_order)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Entry]:
        for place, patient_id in enumerate(self.ids):
            words = self._words[place][1:-1]
            yield Entry(self._names[place], patient_id, words, self._records[place])

    def changed(self, entries: Mapping[int, Entry | None]) -> "Names":
        """Return these names with ``entries`` in the place of what was said of those patients."""
        others = (entry for entry in self if entry.patient_id not in entries)
        return Names(chain(others, (entry for entry in entries.values() if entry)))

    def having(self, term: Term) -> set[int]:
        """Return the patients in whose names the words of ``term`` stand one behind the other."""
        ends = "" if term.is_prefix else " "
        return {self.ids[each] for each in self._words.having(f" {' '.join(term.words)}{ends}")}

    def mark_of(self, patient_id: int, by: By) -> Mark | None:
        """Return what a patient is sorted by; None for one who is not here."""
        place = self._places.get(patient_id)
        return None if place is None else (self._keys(by)[place], patient_id)

    def in_order(self, by: By, behind: Mark | None = None, *, is_turned: bool) -> Iterator[Mark]:
        """Yield everybody, or who comes later than ``behind``; ``is_turned``: the last first."""
        order = self._order(by)
        if is_turned:
            until = len(order) if behind is None else bisect_left(order, behind, key=self._mark(by))
            walk: Iterable[int] = reversed(order[:until])
        else:
            walk = order[0 if behind is None else bisect_right(order, behind, key=self._mark(by)) :]
        return map(self._mark(by), walk)

    def _keys(self, by: By) -> _Lines:
        return self._names if by is By.NAME else self._records

    def _mark(self, by: By) -> Any:
        keys, ids = self._keys(by), self.ids
        return lambda place: (keys[place], ids[place])

    def _order(self, by: By) -> Sequence[int]:
        return range(len(self)) if by is By.NAME else self._by_record

    @cached_property
    def _by_record(self) -> "array[int]":
        return array("I", sorted(range(len(self)), key=self._mark(By.RECORD)))

    @cached_property
    def _places(self) -> dict[int, int]:
        return {patient_id: place for place, patient_id in enumerate(self.ids)}


def packed(names: Names, clinic_id: int, version: int) -> Iterator[dict[str, Any]]:
    """Yield what the pages of a clinic hold, at least one.

    Each says of which clinic and version it is, and which page, and of how many: one that was
    put in the place of another is known.
    """
    entries = list(names)
    pages = [entries[first : first + PAGE] for first in range(0, len(entries), PAGE)] or [[]]
    for number, page in enumerate(pages):
        yield {
            "of": [clinic_id, version, number, len(pages)],
            "ids": [entry.patient_id for entry in page],
            **{
                name: "\n".join(getattr(entry, name) for entry in page)
                for name in ("name", "words", "record")
            },
        }


def unpacked(pages: Sequence[Mapping[str, Any]], clinic_id: int, version: int) -> Names | None:
    """Return the names of pages in their order; None where they are not all of this clinic."""
    expected = [[clinic_id, version, number, len(pages)] for number in range(len(pages))]
    if not pages or [page["of"] for page in pages] != expected:
        return None
    return Names(chain.from_iterable(map(_entries, pages)))


def _entries(page: Mapping[str, Any]) -> Iterable[Entry]:
    ids = page["ids"]
    if not ids:
        return ()
    columns = (page[name].split("\n") for name in ("name", "words", "record"))
    return map(Entry._make, zip(next(columns), ids, *columns, strict=True))


def _line(key: Sequence[str]) -> str:
    """Return a key of several parts as one text of one line that sorts as they do."""
    return "\0".join(part.replace("\0", " ").replace("\n", " ") for part in key)
