"""The list of patients by filters that read histories, beside one plain statement.

The statement is what one would write by hand for the first question; both read the first page
and count. ``extra`` has the other questions, by us alone.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Insert,
    String,
    Text,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    true,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.rules import Scope
from outreach.calls import last_talk
from outreach.calls.models import Attempt, CallNote
from outreach.measures import newest
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.patient_list import listing
from outreach.patient_list.ordering import Cursor
from outreach.patient_list.rules import Filters, Sort, Standing, Stratum, Wanted
from outreach.patient_list.selecting import Search
from outreach.patients.models import Patient, PhoneNumber
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.sealed_sql import AlreadyEncrypted
from outreach.sealing import Sealed
from outreach.searching import directory, index
from outreach.searching.models import SearchEntry
from outreach.searching.rules import parse
from scripts.benches import databases, queue_rows
from scripts.benches.measure import Result, Sample, alternate
from scripts.benches.queue_rows import NOW

ROUNDS = 3
SEED = 1000
FAR = 1_000_000  # more than any id of the first ones
COPIED = (
    Patient, PhoneNumber, Enrolment, PanelMembership, PlannedCall, Attempt, CallNote, SearchEntry,
)  # fmt: skip
KEYS = {"patient_id", "enrolment_id", "planned_call_id", "attempt_id"}
EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
# Made from the patient's id, so that both databases have the same rows.
_READINGS = """
INSERT INTO reading (clinic_id, patient_id, kind, value, entered_value, entered_unit, taken_at,
                     is_time_known, recorded_at, source, is_unreliable, is_void, signs, reason)
SELECT p.clinic_id, p.id, k.kind,
       k.least + (p.id % 9973 * 7919 + n.n * 104729) % k.range / 10.0, '', '',
       {day}, {yes}, {day}, 'csv', {no}, {no}, '[]', :reason
  FROM patient p
 CROSS JOIN (SELECT 'hba1c' AS kind, 5 AS least, 90 AS range
             UNION ALL SELECT 'phq9_total', 0, 270) k
 CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) n
"""
_DAY = {
    True: "datetime('2026-11-20', '-' || (n.n * 80 + p.id % 70) || ' days') || '.000000'",
    False: "timestamptz '2026-11-20 00:00Z' - make_interval(days => n.n * 80 + p.id % 70)",
}
BARE = """
  FROM patient p
 WHERE EXISTS (SELECT 1 FROM enrolment e WHERE e.patient_id = p.id AND e.enrolled_at <= {since}
                  AND e.status IN ('active', 'paused', 'unreachable'))
   AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.patient_id = p.id AND a.at > {since}
                      AND a.outcome IN ('reached_completed', 'reached_call_back',
                        'reached_declined_today', 'reached_safety', 'reached_opted_out')
                      AND a.superseded_at IS NULL)
   AND (SELECT r.value FROM reading r WHERE r.patient_id = p.id AND r.kind = 'hba1c'
         ORDER BY r.taken_at DESC LIMIT 1) > 9
"""


def run(patients: int | None, url: str | None) -> Result:
    """Measure the first page and the count of 'HbA1c over 9 and not reached for 30 days'."""
    count = patients or 100_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = databases.prepare(url, Path(folder))
        engine = orm.make_engine(address)
        sessions = orm.make_sessions(engine)
        try:
            fill(address, sessions, count)
            return _measured(address, sessions, count)
        finally:
            engine.dispose()
            databases.empty(address)


def fill(address: str, sessions: Sessions, patients: int) -> None:
    """Write ``patients`` with calls, four values of HbA1c and PHQ-9 each, and their index.

    The first SEED of them are made row by row, the others are copies, made by the database.
    """
    queue_rows.fill(address, min(SEED, patients), "unusable")
    is_sqlite = databases.is_sqlite(address)
    yes, no = ("1", "0") if is_sqlite else ("true", "false")
    with sessions.begin() as session:
        index.rebuild(session)
        while index.work_off_backlog(session):
            continue
        made = session.scalar(select(func.count(Patient.id))) or 0
        for table in COPIED:
            session.execute(_copies(table.__table__, patients // made - 1))
        _give_record_numbers(session)
        readings = text(_READINGS.format(day=_DAY[is_sqlite], yes=yes, no=no))
        # "reason" is encrypted
        session.execute(readings, {"reason": Sealed("reading.reason").sealed("")})
        newest.rebuild(session)
        last_talk.rebuild(session)
        directory.fold_all(session)  # as the scheduler does, within a minute
    databases.settle(address)


def _give_record_numbers(session: Session) -> None:
    """Give every patient one of their own, encrypted, where the database made up something."""
    table = Patient.__table__
    statement = update(Patient).where(table.c.id == bindparam("patient"))
    ids = session.scalars(select(Patient.id)).all()
    rows = [{"patient": each, "number": f"B{each}"} for each in ids]
    session.connection().execute(statement.values(record_number=bindparam("number")), rows)


def _copies(table: Any, times: int) -> Insert:
    """Return the statement that adds so many copies of every row, with ids far apart."""
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < times))
    taken: list[Any] = []
    for column in table.c:
        if column.name in ("id", "source_id") or column.name in KEYS:
            taken.append(column + numbers.c.n * FAR)
        elif column.name == "ref":
            taken.append(cast(table.c.id + numbers.c.n * FAR, String))
        elif column.name in ("record_number", "form_key"):
            kept = type_coerce(column, Text())
            unlike = kept.concat(literal("-")).concat(cast(numbers.c.n, String))
            taken.append(type_coerce(unlike, AlreadyEncrypted()))
        else:
            taken.append(column)
    return insert(table).from_select(
        [c.name for c in table.c], select(*taken).join(numbers, true())
    )


def _measured(address: str, sessions: Sessions, patients: int) -> Result:
    question = Wanted(Filters(hba1c_over=Decimal(9), silent_days=2))
    with closing(databases.connect(address)) as connection, orm.reading(), sessions() as session:
        ours, limit = alternate(
            lambda: _timed(lambda: _page_and_count(session, question)),
            lambda: _timed(lambda: _bare(connection, address)),
            rounds=ROUNDS,
        )
        extra = {"patients": f"{patients:,}"}
        for name, (wanted, search, cursor) in _others(session).items():
            ask = partial(_page_and_count, session, wanted, search, cursor)
            best = min(_timed(ask).value for _round in range(ROUNDS))
            extra[name] = f"{best:.0f} ms"
    return Result("patient-list", "ms for page and count", ours, limit, extra)


def _others(session: Session) -> dict[str, tuple[Wanted, Search, Cursor | None]]:
    frame = listing.frame(session, EVERYTHING, Filters(), now=NOW)
    deep = Wanted(sort=Sort.RECORD, is_backwards=True)
    some = listing.page(session, frame, deep, Search(), size=200).lines
    notes = Search(parse("pills -coffee"), has_notes=True)
    return {
        "everybody": (Wanted(), Search(), None),
        "everybody, deep in": (deep, Search(), Cursor(some[-1].patient.ref)),
        "by HbA1c": (Wanted(sort=Sort.HBA1C), Search(), None),
        "longest not reached": (Wanted(sort=Sort.REACHED), Search(), None),
        "PHQ-9 severe": (Wanted(Filters(phq9=Stratum.SEVERE)), Search(), None),
        "in the programme": (Wanted(Filters(standing=Standing.OPEN)), Search(), None),
        "texts stopped": (Wanted(Filters(stopped=True)), Search(), None),
        "phase": (Wanted(Filters(phase="weeks_5_to_26")), Search(), None),
        "a name": (Wanted(), Search(parse("nguyen 77")), None),
        "words in notes": (Wanted(), notes, None),
    }


def _page_and_count(
    session: Session, wanted: Wanted, search: Search | None = None, cursor: Cursor | None = None
) -> int:
    frame = listing.frame(session, EVERYTHING, wanted.filters, now=NOW)
    listing.page(session, frame, wanted, search or Search(), cursor)
    return listing.count(session, frame, wanted.filters, search or Search())


def _bare(connection: Any, address: str) -> int:
    since = databases.stored(NOW - timedelta(days=2))
    literal = f"'{since}'" if databases.is_sqlite(address) else f"timestamptz '{since}Z'"
    met = BARE.format(since=literal)
    order = "ORDER BY p.family_name, p.given_name, p.id LIMIT 51"
    connection.execute(f"SELECT p.* {met} {order}").fetchall()
    return int(connection.execute(f"SELECT count(*) {met}").fetchone()[0])


def _timed(work: Callable[[], int]) -> Sample:
    began = time.perf_counter()
    work()
    return Sample((time.perf_counter() - began) * 1000)
