"""The adherence report of one clinic over 26 weeks, beside bare statements over the roll-ups.

The limit is the driver alone, asking the same figures of the same roll-ups, with nothing made of
them. ``extra`` has a plain statement over the rows themselves, and what rolling up took.
"""

import gc
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.orm import Sessions
from outreach.reports import adherence, comparing, jobs, rollups
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.period import last_days
from scripts.benches import databases, plan_rows
from scripts.benches.measure import Result, Sample, alternate, backend_pid, cpu_seconds, timed_cpu
from scripts.benches.plan_rows import NOW

ROUNDS = 7
MOST_ROUNDS = 5  # of 200 transactions a clinic; what is left then is said
DIALS_AN_ENROLMENT = 22  # every 5 days since some day of the last 26 weeks, a quarter twice
WRITTEN = ("planned_call", "attempt")
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
# The limits of rolling up: the same tables by one statement each, {which} of them all; weeks by
# Greenwich, and without what the programme asks for in each.
_AT_ONCE = (
    """
SELECT c.clinic_id, c.due_on AS day, m.caller_id,
       sum(CASE WHEN c.status = 'completed' THEN 1 ELSE 0 END) AS completed,
       sum(CASE WHEN c.status = 'missed' THEN 1 ELSE 0 END) AS missed,
       count(a.id) AS dials,
       sum(CASE WHEN a.outcome = 'reached_completed' THEN 1 ELSE 0 END) AS reached
  FROM planned_call c
  LEFT JOIN panel_membership m ON m.enrolment_id = c.enrolment_id AND m.until_at IS NULL
  LEFT JOIN attempt a ON a.planned_call_id = c.id AND a.superseded_at IS NULL
 WHERE {calls} GROUP BY c.clinic_id, c.due_on, m.caller_id""",
    """
SELECT clinic_id, due_on AS day, dial, count(*) AS calls FROM (
  SELECT clinic_id, due_on, planned_call_id,
         coalesce(min(CASE WHEN is_met THEN dial END), 0) AS dial
    FROM (SELECT c.clinic_id, c.due_on, a.planned_call_id, a.outcome LIKE 'reached_%' AS is_met,
                 row_number() OVER (PARTITION BY a.planned_call_id ORDER BY a.at, a.id) AS dial
            FROM attempt a JOIN planned_call c ON c.id = a.planned_call_id
           WHERE {calls} AND c.status IN ('completed', 'missed') AND a.superseded_at IS NULL) n
   GROUP BY clinic_id, due_on, planned_call_id) f
 GROUP BY clinic_id, due_on, dial""",
    """
WITH RECURSIVE week (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM week WHERE n < 25)
SELECT e.clinic_id, e.id AS enrolment_id, w.n, m.caller_id, count(a.enrolment_id) AS calls,
       sum(a.minutes) AS minutes
  FROM enrolment e JOIN week w ON {over}
  LEFT JOIN panel_membership m ON m.enrolment_id = e.id AND m.until_at IS NULL
  LEFT JOIN (SELECT a.enrolment_id, a.minutes, {week} AS n
               FROM attempt a JOIN enrolment e ON e.id = a.enrolment_id
              WHERE a.superseded_at IS NULL AND a.outcome LIKE 'reached_%' AND {enrolments}) a
         ON a.enrolment_id = e.id AND a.n = w.n
 WHERE {enrolments} GROUP BY e.clinic_id, e.id, w.n, m.caller_id""",
)
_KEYS = ("clinic_id, day", "clinic_id, day", "enrolment_id")
_TOUCH = (
    ("INSERT INTO report_touched_days (clinic_id, from_on, until_on) VALUES (1, '{day}', '{day}')"),
    (
        "INSERT INTO report_touched_enrolment (clinic_id, enrolment_id)"
        " SELECT DISTINCT 1, enrolment_id FROM ({those}) t"
    ),
)
_OF_A_DAY = "SELECT enrolment_id FROM planned_call WHERE clinic_id = 1 AND due_on = '{day}'"


def run(calls: int | None, url: str | None) -> Result:
    """Measure the report of a clinic among so many calls that were dialled."""
    count = calls or 1_000_000
    with databases.filled(url, partial(fill, calls=count)) as there:
        return _measured(*there)


def fill(address: str, sessions: Sessions, calls: int, clinics: int = plan_rows.CLINICS) -> None:
    """Write about ``calls`` dials of 26 weeks, their planned calls made by the database."""
    plan_rows.fill(address, max(clinics, calls // DIALS_AN_ENROLMENT), clinics=clinics)
    is_sqlite = databases.is_sqlite(address)
    day = "date(e.starts_on, '+' || (n * 5) || ' days')" if is_sqlite else "e.starts_on + n * 5"
    at = f"{day} || ' 17:00:00.000000'" if is_sqlite else f"({day}) + time '17:00'"
    words = {"day": day, "at": at, "yes": "true", "no": "false"}
    dials = _DIALS.format(**words)
    if is_sqlite:  # which knows no LATERAL
        is_done = "(c.status = 'completed' AND (k.n = 2 OR NOT c.is_twice))"
        dials = dials.partition(" CROSS JOIN LATERAL")[0].replace("is_done", is_done)
    with (
        closing(databases.connect(address)) as connection,
        databases.unwatched(connection, WRITTEN),
    ):
        connection.execute(_CALLS.format(**words))
        connection.execute(dials)
    with sessions.begin() as session:  # of which no trigger was told
        for clinic_id in session.scalars(select(Clinic.id)).all():
            rollups.forget(session, clinic_id, now=NOW)
    databases.settle(address)


def _measured(address: str, sessions: Sessions) -> Result:
    gc.freeze()  # as the web server does
    with closing(databases.connect(address)) as connection:
        rebuilt, rebuilt_at_once, done = _rebuilt(address, sessions, connection)
        databases.settle(address)
        refreshed, refreshed_at_once = _refreshed(address, sessions, connection)
        ours, limit = sides(address, sessions, connection)
        extra = _more(address, sessions, connection)
    extra |= {
        "rebuilt all, CPU": f"{rebuilt:.1f} s, {rebuilt_at_once:.1f} s at once",
        "rebuilt all, ratio": f"{rebuilt / rebuilt_at_once:.2f}",
        "days and enrolments": f"{done:,}",
        "a day refreshed, CPU": f"{refreshed:.0f} ms, {refreshed_at_once:.0f} ms at once",
        "a day refreshed, ratio": f"{refreshed / refreshed_at_once:.2f}",
    }
    return Result("reports", "ms of CPU for a clinic's report", ours, limit, extra)


def _rebuilt(address: str, sessions: Sessions, connection: Any) -> tuple[float, float, int]:
    """Return the CPU of rolling everything up, by us and at once, and how much was."""
    with sessions() as session:  # one connection is used again and again
        pid = backend_pid(session.connection().connection.dbapi_connection)
    before = cpu_seconds(pid)
    done = sum(jobs.roll_up(sessions, lambda: NOW) for _ in range(MOST_ROUNDS))
    ours = cpu_seconds(pid) - before
    with orm.reading(), sessions() as session:
        clinics = session.scalars(select(Clinic).order_by(Clinic.id)).all()
        if rollups.waiting(session, clinics, now=NOW):
            raise SystemExit(f"Not rolled up in {MOST_ROUNDS} rounds.")
    words = _week_words(address) | {"calls": "1 = 1", "enrolments": "1 = 1"}

    def write() -> None:
        for n, (each, key) in enumerate(zip(_AT_ONCE, _KEYS, strict=True)):
            connection.execute(f"CREATE TEMPORARY TABLE at_once_{n} AS {each.format(**words)}")
            connection.execute(f"CREATE INDEX at_once_key_{n} ON at_once_{n} ({key})")

    at_once = timed_cpu(write, backend_pid(connection))
    return ours, at_once.value / 1000, done


def _refreshed(address: str, sessions: Sessions, connection: Any) -> tuple[float, float]:
    """Return the CPU, in ms, of rolling up one day of a clinic with its enrolments' weeks."""
    day = (NOW - timedelta(days=9)).date().isoformat()
    touched = _OF_A_DAY.format(day=day)
    statements = [each.format(day=day, those=touched) for each in _TOUCH]
    words = _week_words(address) | {
        "calls": f"c.clinic_id = 1 AND c.due_on = '{day}'",
        "enrolments": f"e.id IN ({touched})",
    }
    old = (f"clinic_id = 1 AND day = '{day}'",) * 2 + (f"enrolment_id IN ({touched})",)

    def ours() -> Sample:
        with sessions.begin() as session:
            for each in statements:
                session.execute(text(each))
            pid = backend_pid(session.connection().connection.dbapi_connection)
        return timed_cpu(lambda: jobs.roll_clinic(sessions, 1, now=NOW), pid)

    def at_once() -> None:
        for n, (each, which) in enumerate(zip(_AT_ONCE, old, strict=True)):
            connection.execute(f"DELETE FROM at_once_{n} WHERE {which}")  # noqa: S608
            connection.execute(f"INSERT INTO at_once_{n} {each.format(**words)}")
        connection.commit()

    found = alternate(ours, lambda: timed_cpu(at_once, backend_pid(connection)), rounds=ROUNDS)
    best, limit = (sum(each.value for each in side) / ROUNDS for side in found)
    return best, limit


def _week_words(address: str) -> dict[str, str]:
    if databases.is_sqlite(address):
        days = "julianday(substr(a.at, 1, 10)) - julianday(e.starts_on)"
        return {
            "over": f"date(e.starts_on, (w.n * 7 + 7) || ' days') <= '{NOW.date()}'",
            "week": f"CAST(({days}) / 7 AS INTEGER)",
        }
    return {
        "over": f"e.starts_on + w.n * 7 + 7 <= '{NOW.date()}'",
        "week": "((a.at AT TIME ZONE 'UTC')::date - e.starts_on) / 7",
    }


def sides(address: str, sessions: Sessions, connection: Any) -> tuple[list[Sample], list[Sample]]:
    """Return samples of the report of the first clinic, and of bare statements for it."""
    with orm.reading(), sessions() as session:
        asked, words = _about_first(address, session)
        pid = backend_pid(session.connection().connection.dbapi_connection)
        return alternate(
            lambda: timed_cpu(lambda: adherence.report(session, asked), pid),
            lambda: _of_rows(connection, _ROLLED, words),
            rounds=ROUNDS,
        )


def _more(address: str, sessions: Sessions, connection: Any) -> dict[str, str]:
    """Return what the rows and a part of the roll-ups take, having held both together."""
    with orm.reading(), sessions() as session:
        _asked, words = _about_first(address, session)
        raw = min(_of_rows(connection, _RAW, words).value for _ in range(ROUNDS))
        one = min(_of_rows(connection, _ROLLED[:1], words).value for _ in range(3))
        differ = len(list(comparing.differences(session, session.get_one(Clinic, 1), now=NOW)))
    if differ:
        raise SystemExit(f"{differ} differences between roll-ups and rows.")
    counted = (
        "SELECT count(*) FROM attempt",
        "SELECT count(*) FROM enrolment WHERE clinic_id = 1",
    )
    dials, people = (connection.execute(each).fetchone()[0] for each in counted)
    return {
        "dials": f"{dials:,}",
        "patients of the clinic": f"{people:,}",
        "days by caller alone": f"{one:.1f} ms",
        "calls and dials from rows": f"{raw:.1f} ms",
    }


def _about_first(address: str, session: Session) -> tuple[Asked, dict[str, str]]:
    here = Here.of(EVERYTHING, session.get_one(Clinic, 1), now=NOW)
    asked = here.about(last_days(26 * 7, today=here.today))
    return asked, _words(address, asked)


def _of_rows(connection: Any, statements: tuple[str, ...], words: dict[str, str]) -> Sample:
    return timed_cpu(lambda: _bare(connection, statements, words), backend_pid(connection))


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
