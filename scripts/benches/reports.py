"""The adherence report of one clinic over 26 weeks, beside bare statements over the roll-ups.

The limit is the driver alone, asking the same figures of the same roll-ups, with nothing made of
them. ``extra`` has a plain statement over the rows themselves, and what rolling up took.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.orm import Sessions
from outreach.reports import adherence, comparing, jobs, rollups
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.period import last_days
from scripts.benches import databases, plan_rows
from scripts.benches.measure import Result, Sample, alternate, peak_mb
from scripts.benches.plan_rows import NOW

ROUNDS = 7
MOST_ROUNDS = 5  # of 200 transactions a clinic; what is left then is said
DIALS_AN_ENROLMENT = 22  # every 5 days since some day of the last 26 weeks, a quarter twice
EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
_CALLS = """
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 36)
INSERT INTO planned_call (clinic_id, patient_id, enrolment_id, sequence, phase, due_on,
       complete_by_on, dial_from_at, dial_until_at, is_agreed, dials, status, planned_at, closed_at)
SELECT e.clinic_id, e.patient_id, e.id, 1000 + n, 'weeks_5_to_26', {day}, {day}, {at}, {at}, {no},
       1, CASE WHEN (e.id + n * 13) % 50 = 9 THEN 'cancelled'
       WHEN (e.id * 7 + n * 13) % 10 < 7 THEN 'completed' ELSE 'missed' END, {at}, {at}
  FROM enrolment e JOIN series ON {day} <= '2026-11-21'
"""
_DIALS = """
INSERT INTO attempt (form_key, answers_hash, clinic_id, patient_id, enrolment_id, planned_call_id,
       caller_id, is_primary_caller, at, minutes, outcome)
SELECT 'bench-' || c.id || '-' || k.n, '', c.clinic_id, c.patient_id, c.enrolment_id, c.id,
       m.caller_id, {yes}, c.closed_at, CASE WHEN is_done THEN 5 + c.id % 30 ELSE 0 END,
       CASE WHEN is_done THEN 'reached_completed' ELSE 'no_answer' END
  FROM (SELECT c.*, c.id % 4 = 0 AS is_twice FROM planned_call c WHERE c.sequence >= 1000) c
  JOIN (SELECT 1 AS n UNION ALL SELECT 2) k ON k.n = 1 OR c.is_twice
  JOIN panel_membership m ON m.enrolment_id = c.enrolment_id AND m.until_at IS NULL
 CROSS JOIN LATERAL (SELECT c.status = 'completed' AND (k.n = 2 OR NOT c.is_twice) AS is_done) d
"""
# The same figures by the driver alone: days by caller, dials, weeks by what they have in common,
# and patients with whether anybody spoke with them, calls that are open or were cancelled.
_ROLLED = (
    (
        "SELECT caller_id, sum(completed), sum(missed), sum(completed_by_primary), sum(dials),"
        " sum(reached) FROM report_day WHERE clinic_id = {clinic} AND day BETWEEN {days}"
        " GROUP BY caller_id"
    ),
    (
        "SELECT dial, sum(calls) FROM report_dial WHERE clinic_id = {clinic} AND day BETWEEN {days}"
        " GROUP BY dial"
    ),
    (
        "SELECT caller_id, calls, minutes, is_kept, count(*) FROM report_week"
        " WHERE clinic_id = {clinic} AND last_on BETWEEN {days}"
        " GROUP BY caller_id, calls, minutes, is_kept"
    ),
    (
        "SELECT e.id, e.patient_id, e.starts_on, e.enrolled_at, m.caller_id, EXISTS (SELECT 1 FROM"
        " attempt a WHERE a.patient_id = e.patient_id AND a.at >= {begins} AND a.at < {ends}"
        " AND a.outcome = 'reached_completed' AND a.superseded_at IS NULL),"
        " (SELECT a.at FROM attempt a WHERE a.patient_id = e.patient_id AND a.enrolment_id = e.id"
        " AND a.outcome = 'reached_completed' AND a.superseded_at IS NULL ORDER BY a.at LIMIT 1)"
        " FROM enrolment e LEFT JOIN panel_membership m ON m.enrolment_id = e.id"
        " WHERE e.clinic_id = {clinic}"
    ),
    (
        "SELECT c.due_on, c.complete_by_on, m.caller_id FROM enrolment e JOIN planned_call c"
        " ON c.enrolment_id = e.id AND c.status = 'planned' LEFT JOIN panel_membership m"
        " ON m.enrolment_id = e.id WHERE e.clinic_id = {clinic}"
    ),
    (
        "SELECT m.caller_id, count(*) FROM planned_call c LEFT JOIN panel_membership m"
        " ON m.enrolment_id = c.enrolment_id WHERE c.clinic_id = {clinic}"
        " AND c.due_on BETWEEN {days} AND c.status = 'cancelled' GROUP BY m.caller_id"
    ),
)
_RAW = (
    (
        "SELECT m.caller_id, sum(CASE WHEN c.status = 'completed' THEN 1 ELSE 0 END),"
        " sum(CASE WHEN c.status = 'missed' THEN 1 ELSE 0 END) FROM planned_call c"
        " LEFT JOIN panel_membership m ON m.enrolment_id = c.enrolment_id AND m.until_at IS NULL"
        " WHERE c.clinic_id = {clinic} AND c.due_on BETWEEN {days} GROUP BY m.caller_id"
    ),
    (
        "SELECT caller_id, count(*), sum(CASE WHEN outcome = 'reached_completed' THEN 1 END),"
        " sum(minutes) FROM attempt WHERE clinic_id = {clinic} AND at >= {begins} AND at < {ends}"
        " AND superseded_at IS NULL GROUP BY caller_id"
    ),
)
# The limit of rolling up: what a day of a caller has, of every clinic, by one statement.
_AT_ONCE = """
CREATE TEMPORARY TABLE rolled_at_once AS
SELECT c.clinic_id, c.due_on, m.caller_id,
       sum(CASE WHEN c.status = 'completed' THEN 1 ELSE 0 END) AS completed,
       sum(CASE WHEN c.status = 'missed' THEN 1 ELSE 0 END) AS missed,
       count(a.id) AS dials,
       sum(CASE WHEN a.outcome = 'reached_completed' THEN 1 ELSE 0 END) AS reached
  FROM planned_call c
  LEFT JOIN panel_membership m ON m.enrolment_id = c.enrolment_id AND m.until_at IS NULL
  LEFT JOIN attempt a ON a.planned_call_id = c.id AND a.superseded_at IS NULL
 GROUP BY c.clinic_id, c.due_on, m.caller_id
"""


def run(calls: int | None, url: str | None) -> Result:
    """Measure the report of a clinic among so many calls that were dialled."""
    count = calls or 1_000_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = databases.prepare(url, Path(folder))
        engine = orm.make_engine(address)
        sessions = orm.make_sessions(engine)
        try:
            fill(address, sessions, count)
            return _measured(address, sessions)
        finally:
            engine.dispose()
            databases.empty(address)


def fill(address: str, sessions: Sessions, calls: int) -> None:
    """Write about ``calls`` dials of 26 weeks, their planned calls made by the database."""
    plan_rows.fill(address, max(plan_rows.CLINICS, calls // DIALS_AN_ENROLMENT))
    is_sqlite = databases.is_sqlite(address)
    day = "date(e.starts_on, '+' || (n * 5) || ' days')" if is_sqlite else "e.starts_on + n * 5"
    at = f"{day} || ' 17:00:00.000000'" if is_sqlite else f"({day}) + time '17:00'"
    words = {"day": day, "at": at, "yes": "true", "no": "false"}
    dials = _DIALS.format(**words)
    if is_sqlite:  # which knows no LATERAL
        is_done = "(c.status = 'completed' AND (k.n = 2 OR NOT c.is_twice))"
        dials = dials.partition(" CROSS JOIN LATERAL")[0].replace("is_done", is_done)
    with sessions.begin() as session:
        session.execute(text(_CALLS.format(**words)))
        session.execute(text(dials))
    databases.settle(address)


def _measured(address: str, sessions: Sessions) -> Result:
    began = time.perf_counter()
    done = sum(jobs.roll_up(sessions, lambda: NOW) for _ in range(MOST_ROUNDS))
    took = time.perf_counter() - began
    databases.settle(address)
    gc.freeze()  # as the web server does
    with closing(databases.connect(address)) as connection, orm.reading(), sessions() as session:
        clinic = session.get_one(Clinic, 1)
        here = Here.of(EVERYTHING, clinic, now=NOW)
        asked = here.about(last_days(26 * 7, today=here.today))
        words = _words(address, asked)
        ours, limit = alternate(
            lambda: _timed(lambda: _report(session, asked)),
            lambda: _timed(lambda: _bare(connection, _ROLLED, words)),
            rounds=ROUNDS,
        )
        raw = min(_timed(lambda: _bare(connection, _RAW, words)).value for _ in range(ROUNDS))
        one = min(_timed(lambda: _bare(connection, _ROLLED[:1], words)).value for _ in range(3))
        if rollups.waiting(session, [clinic], now=NOW):
            raise SystemExit(f"Not rolled up in {MOST_ROUNDS} rounds.")
        differ = len(list(comparing.differences(session, clinic, now=NOW)))
        if differ:
            raise SystemExit(f"{differ} differences between roll-ups and rows.")
        at_once = _timed(lambda: connection.execute(_AT_ONCE)).value / 1000
        dials = connection.execute("SELECT count(*) FROM attempt").fetchone()[0]
    extra = {
        "dials": f"{dials:,}",
        "days by caller alone": f"{one:.1f} ms",
        "calls and dials from rows": f"{raw:.1f} ms",
        "rolled up all": f"{took:.1f} s",
        "days of all at once": f"{at_once:.1f} s",
        "days and enrolments": f"{done:,}",
    }
    return Result("reports", "ms for a clinic's report", ours, limit, extra)


def _report(session: Session, asked: Asked) -> None:
    adherence.report(session, asked)


def _bare(connection: Any, statements: tuple[str, ...], words: dict[str, str]) -> None:
    for each in statements:
        connection.execute(each.format(**words)).fetchall()


def _words(address: str, asked: Asked) -> dict[str, str]:
    begins, ends = (databases.stored(each) for each in asked.instants)
    zone = "" if databases.is_sqlite(address) else "timestamptz "
    utc = "" if databases.is_sqlite(address) else "Z"
    return {
        "clinic": str(asked.clinic_id),
        "days": f"'{asked.period.from_on}' AND '{asked.period.until_on}'",
        "begins": f"{zone}'{begins}{utc}'",
        "ends": f"{zone}'{ends}{utc}'",
    }


def _timed(work: Callable[[], None]) -> Sample:
    began = time.perf_counter()
    work()
    return Sample((time.perf_counter() - began) * 1000, peak_mb())
