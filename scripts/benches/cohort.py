"""The cohort board of a clinic, beside one statement that counts the same over the same rows.

The statement finds for each month each patient's newest value of three months, whether anything
was heard of them in twelve, and whether they had left; in days of Greenwich, where ours are the
patient's own.
"""

from contextlib import closing
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from outreach import garbage, orm
from outreach.accounts.models import Clinic
from outreach.orm import Sessions
from outreach.reports import cohort
from outreach.reports.asked import Here
from outreach.reports.rules.board import LOST_AFTER, READ_WITHIN, Standing, months_until
from scripts.benches import databases, outcome_rows
from scripts.benches.measure import Result, alternate, backend_pid, timed_cpu
from scripts.benches.outcomes import EVERYTHING, ROUNDS
from scripts.benches.plan_rows import NOW, TODAY

_STATEMENT = """
WITH month (number, last_on, since, heard_since) AS (VALUES {months}),
 enrolled AS (
  SELECT e.patient_id, e.starts_on FROM enrolment e
   WHERE e.id IN (SELECT min(id) FROM enrolment WHERE clinic_id = 1 GROUP BY patient_id)),
 measured AS (
  SELECT r.patient_id, r.id, r.value, {taken} AS day FROM reading r
   WHERE r.clinic_id = 1 AND r.kind = 'hba1c' AND NOT r.is_void AND NOT r.is_unreliable
     AND r.bound IS NULL AND r.withdrawn_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM reading c WHERE c.supersedes_id = r.id)),
 newest AS (
  SELECT m.number, r.patient_id, r.value,
         row_number() OVER (PARTITION BY m.number, r.patient_id ORDER BY r.day DESC, r.id DESC)
           AS place
    FROM measured r JOIN month m ON r.day BETWEEN m.since AND m.last_on),
 heard AS (
  SELECT DISTINCT m.number, s.patient_id
    FROM (SELECT patient_id, day FROM measured UNION ALL
          SELECT a.patient_id, {at} FROM attempt a WHERE a.clinic_id = 1
             AND a.superseded_at IS NULL AND a.outcome LIKE 'reached%%') s
    JOIN month m ON s.day BETWEEN m.heard_since AND m.last_on),
 noted AS (
  SELECT m.number, v.patient_id, v.status,
         row_number() OVER (PARTITION BY m.number, v.patient_id ORDER BY v.at DESC, v.id DESC)
           AS place
    FROM enrolment_event v JOIN month m ON {noted} <= m.last_on WHERE v.clinic_id = 1)
SELECT m.number, sum(CASE WHEN n.value < 8 THEN 1 ELSE 0 END),
       sum(CASE WHEN n.value >= 8 THEN 1 ELSE 0 END),
       sum(CASE WHEN n.value IS NULL AND (e.starts_on >= m.heard_since OR h.number IS NOT NULL)
                THEN 1 ELSE 0 END),
       sum(CASE WHEN n.value IS NULL AND e.starts_on < m.heard_since AND h.number IS NULL
                THEN 1 ELSE 0 END)
  FROM month m JOIN enrolled e ON e.starts_on < m.since
  LEFT JOIN newest n ON n.number = m.number AND n.patient_id = e.patient_id AND n.place = 1
  LEFT JOIN heard h ON h.number = m.number AND h.patient_id = e.patient_id
  LEFT JOIN noted v ON v.number = m.number AND v.patient_id = e.patient_id AND v.place = 1
 WHERE v.status IS NULL OR v.status NOT IN ('died', 'withdrawn')
 GROUP BY m.number ORDER BY m.number
"""


def run(patients: int | None, url: str | None) -> Result:
    """Measure the board of one clinic of 5,000 among so many patients."""
    with databases.filled(url, partial(outcome_rows.fill, patients=patients or 10_000)) as there:
        return measured(*there)


def measured(address: str, sessions: Sessions) -> Result:
    """Measure over rows that are there."""
    garbage.leave_what_is_loaded()  # as the web server does
    statement = _bare(address)
    with closing(databases.connect(address)) as connection, orm.reading(), sessions() as session:
        here = Here.of(EVERYTHING, session.get_one(Clinic, 1), now=NOW)
        _agree(board(session, here), connection.execute(statement).fetchall())
        pid = backend_pid(session.connection().connection.dbapi_connection)
        ours, limit = alternate(
            lambda: timed_cpu(lambda: board(session, here), pid),
            lambda: timed_cpu(
                lambda: connection.execute(statement).fetchall(), backend_pid(connection)
            ),
            rounds=ROUNDS,
        )
        count = len(board(session, here).everybody)
    return Result("cohort", "ms of CPU for a board", ours, limit, {"patients": f"{count:,}"})


def board(session: Session, here: Here) -> cohort.Board:
    """Return the board as of today."""
    return cohort.board(session, here, here.today)


def _agree(ours: cohort.Board, bare: list[Any]) -> None:
    """Raise unless both say nearly the same: their days differ by some hours."""
    for each, (_number, *counts) in zip(ours.months[::-1], bare[::-1], strict=False):
        for standing, count in zip(Standing, counts, strict=True):
            if abs(each.count(standing) - count) > max(5, each.registered // 50):
                raise SystemExit(f"{each.month}, {standing}: {each.count(standing)} and {count}.")


def _bare(address: str) -> str:
    is_sqlite = databases.is_sqlite(address)
    quote = "'{}'" if is_sqlite else "date '{}'"
    months = [
        (
            f"({each.number}, {quote.format(each.last_on)},"
            f" {quote.format((each + (1 - READ_WITHIN)).first_on)},"
            f" {quote.format((each + (1 - LOST_AFTER)).first_on)})"
        )
        for each in months_until(TODAY)
    ]
    day = "substr({}, 1, 10)" if is_sqlite else "({} AT TIME ZONE 'UTC')::date"
    return _STATEMENT.replace("%%", "%").format(
        months=", ".join(months),
        taken=day.format("r.taken_at"),
        at=day.format("a.at"),
        noted=day.format("v.at"),
    )
