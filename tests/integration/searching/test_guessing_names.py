"""Who steals the database and has a list of common names with their counts learns no name by it.

``stolen`` is all that lies there, without the keys. The thief of ``guessed`` puts together what
the release before told: how long a name is, which names are alike, and who comes before whom.
"""

import math
import random
import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import pytest
from sqlalchemy import RowMapping, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from outreach import bulk, sealing
from outreach.accounts.models import Clinic
from outreach.orm import Model, Sessions
from outreach.patients.models import UNRANKED, Patient
from outreach.sealed_sql import AlreadyEncrypted
from outreach.searching import hashed, index
from outreach.searching.directory import fold
from outreach.searching.jobs import fold_directories
from outreach.searching.models import SearchEntry
from outreach.upkeep import forgetting
from tests.builders import make_clinic, make_patient

PATIENTS = 400
# The commonest in the United States in 2010, the commonest first (Census Bureau).
COMMON = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez "
    "Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris "
    "Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill "
    "Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts"
).split()
COUNTS = {name: 1 / (place + 8) for place, name in enumerate(COMMON)}
GIVEN = ["Mary", "James", "Maximiliano", "Li"]
SEALED = re.compile(r"([vs]1)\.([^.\s]+)\.([A-Za-z0-9_=-]+)")
BY_CHANCE = {("patient", "ref"), ("directory_page", "version"), ("directory_change", "token")}

Row = RowMapping
Stolen = Mapping[str, Sequence[Row]]


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    with sessions.begin() as session:
        return make_clinic(session)


def fill(session: Session, clinic: Clinic, families: Sequence[str]) -> list[int]:
    """Add a patient of each family name; return their ids in that order."""
    first = make_patient(session, clinic, family_name=families[0], phone=None)
    unset = {"id", "ref", "record_number", "family_name", "given_name"}
    same = {
        column.key: getattr(first, column.key)
        for column in Patient.__table__.columns
        if column.key not in unset
    }
    rows = [
        same
        | {"ref": f"{number:016x}", "record_number": f"N{number:05d}", "family_name": family}
        | {"given_name": GIVEN[number % len(GIVEN)]}
        for number, family in enumerate(families[1:])
    ]
    bulk.write_new(session.connection(), Patient, rows)
    return list(session.scalars(select(Patient.id).order_by(Patient.id)))


def drawn() -> list[str]:
    draw = random.Random(11)  # noqa: S311 - the same names each time
    return draw.choices(COMMON, weights=list(COUNTS.values()), k=PATIENTS)


def stolen(session: Session) -> Stolen:
    return {
        table.name: session.execute(text(f"SELECT * FROM {table.name}")).mappings().all()  # noqa: S608 - ours
        for table in Model.metadata.sorted_tables
    }


def as_the_release_before(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ranks, words of names and names lie there as the release before wrote them."""
    monkeypatch.setattr(hashed, "_older_until", [math.inf])
    patients = session.scalars(select(Patient)).all()
    index.add_patients(session, [each.id for each in patients])
    monkeypatch.setattr(hashed, "_older_until", [0.0])
    cipher, table = sealing.cipher(), Model.metadata.tables["patient"]
    rows: list[dict[str, Any]] = []
    for place, each in enumerate(sorted(patients, key=lambda each: (each.name_key, each.id)), 1):
        rows.append({"patient": each.id, "rank": place * 2**40})
        for name in ("given_name", "family_name"):
            plain = getattr(each, name).encode()
            rows[-1][f"new_{name}"] = cipher.encrypt(plain, place=f"patient.{name}")
    sealed = {
        name: bindparam(f"new_{name}", type_=AlreadyEncrypted())
        for name in ("given_name", "family_name")
    }
    write = update(table).where(table.c.id == bindparam("patient"))
    session.connection().execute(write.values(name_rank=bindparam("rank"), **sealed), rows)
    session.expire_all()


def guessed(file: Stolen) -> dict[int, str]:
    """Return the family name that the thief takes each patient to have."""
    words = {
        row["source_id"]: _in_order(row["words"])[1]  # behind the given name
        for row in file["search_entry"]
        if row["kind"] == "patient"
    }
    if not words:
        return {row["id"]: _commonest_as_long(row, file) for row in file["patient"]}
    order = [row["id"] for row in sorted(file["patient"], key=lambda row: row["name_rank"])]
    known = _aligned(list(dict.fromkeys(words[each] for each in order)), Counter(words.values()))
    return {each: known.get(words[each], COMMON[0]) for each in order}


def _in_order(words: str) -> list[str]:
    """Return the words of a name, which PostgreSQL keeps with their places: 'nabc':2."""
    places = re.findall(r"'(\w+)':(\d+)", words)
    return [word for word, _at in sorted(places, key=lambda each: int(each[1]))] or words.split()


def _aligned(tokens: Sequence[str], counts: Counter[str]) -> dict[str, str]:
    """Give words, in the order of the alphabet, names of their length and about as common."""
    names, total = sorted(COMMON), sum(COUNTS.values())
    best: dict[tuple[int, int], tuple[float, tuple[tuple[str, str], ...]]] = defaultdict(
        lambda: (0.0, ())
    )
    for i, token in enumerate(tokens):
        for j, name in enumerate(names):
            options = [best[i - 1, j], best[i, j - 1]]
            if (len(token) - 1) // hashed._LETTER == len(name):
                expected = PATIENTS * COUNTS[name] / total
                off = abs(math.log(counts[token] / expected))
                score, pairs = best[i - 1, j - 1]
                options.append((score + max(0.0, 3 - off), (*pairs, (token, name))))
            best[i, j] = max(options, key=lambda each: each[0])
    return dict(best[len(tokens) - 1, len(names) - 1][1])


def _commonest_as_long(row: Row, file: Stolen) -> str:
    """Return the commonest name; of those as long, where the lengths of patients' names differ."""
    lengths = {each["id"]: len(each["family_name"]) for each in file["patient"]}
    if len(set(lengths.values())) == 1:
        return COMMON[0]
    shortest = min(map(len, COMMON))
    step = (lengths[row["id"]] - min(lengths.values())) * 3 // 4
    near = [name for name in COMMON if abs(len(name) - shortest - step) <= 1]
    return near[0] if near else COMMON[0]


def share(session: Session) -> float:
    """Return the share of patients whose family name the thief knows."""
    guesses = guessed(stolen(session))
    true = dict(session.execute(select(Patient.id, Patient.family_name)).all())
    return sum(guesses[each] == name for each, name in true.items()) / len(true)


def test_a_list_of_names_tells_no_more_than_the_commonest_one(
    sessions: Sessions, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = drawn()
    with sessions.begin() as session:
        fill(session, clinic, names)
        as_the_release_before(session, monkeypatch)
        assert forgetting.is_due(session.connection())
        assert share(session) > 0.8  # this thief is a good one
    fold_directories(sessions)

    assert forgetting.forget(sessions) > PATIENTS

    with sessions.begin() as session:
        assert not forgetting.is_due(session.connection())
        assert share(session) == names.count(COMMON[0]) / PATIENTS
        assert share(session) < 0.1
        fold(session, clinic.id)
        assert share(session) == names.count(COMMON[0]) / PATIENTS
        read = session.scalars(select(Patient.family_name).order_by(Patient.id)).all()
        assert read == names
        assert set(session.scalars(select(Patient.name_rank))) == {UNRANKED}
        assert session.scalar(select(func.count()).select_from(SearchEntry)) == 0


def test_what_lies_there_is_the_same_whatever_people_are_called(
    sessions: Sessions, clinic: Clinic
) -> None:
    """The same patients, named so and otherwise: nothing that can be seen depends on it."""
    names = drawn()
    with sessions.begin() as session:
        ids = fill(session, clinic, names)
        fold(session, clinic.id)
        before = seen(stolen(session))
        others = [*names[7:], *["Zu Fürstenberg-Wolkenstein"] * 6, "X"]
        for patient_id, name in zip(ids, others, strict=True):
            session.get_one(Patient, patient_id).family_name = name
        session.get_one(Patient, ids[0]).given_name = "A"
        session.flush()
        fold(session, clinic.id)
        after = seen(stolen(session))
    assert len(before["patient"]) == PATIENTS
    assert before == after


def seen(file: Stolen) -> dict[str, list[tuple[Any, ...]]]:
    """Return what can be seen of all that lies there: of what is sealed its key and length."""
    return {
        table: sorted(
            (
                tuple(
                    (name, _shape(value))
                    for name, value in row.items()
                    if (table, name) not in BY_CHANCE and (table, name) != ("directory_page", "id")
                )
                for row in rows
            ),
            key=repr,
        )
        for table, rows in file.items()
    }


def _shape(value: Any) -> Any:
    found = SEALED.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    # Of what is looked up alike values look alike: kept, as no name is of this kind.
    return value if found[1] == "s1" else (found[1], found[2], len(found[3]))


def test_the_thief_of_a_list_in_its_order_would_be_right() -> None:
    """Whoever knew the order alone would know many: so it must lie nowhere."""
    names = sorted(drawn())
    shares = list(accumulate(COUNTS[name] for name in sorted(COMMON)))
    right = sum(
        sorted(COMMON)[bisect(shares, shares[-1] * (place + 0.5) / PATIENTS)] == name
        for place, name in enumerate(names)
    )
    assert right / PATIENTS > 0.4
