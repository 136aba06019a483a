"""How patients fare, beside one statement over the same rows: HbA1c of a clinic, and the rest.

The limit is the driver alone with one statement that finds for each patient the value nearest to
each target, and of all of them how many, the means and the spread; in days of Greenwich, where
ours are the patient's own. ``extra`` has the same of all clinics, all measures of a clinic as its
page has them, and that page.
"""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach import garbage, orm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.orm import Sessions
from outreach.reports import outcomes, strata
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.curves import doses_of
from outreach.reports.rules.outcomes import (
    FOLLOW_UPS,
    KINDS,
    WINDOWS,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    measured_throughout,
    outcome_of,
)
from outreach.reports.rules.people import People
from outreach.reports.rules.statistics import rank_correlation
from scripts.benches import databases, outcome_rows
from scripts.benches.measure import Result, Sample, alternate, backend_pid, timed_cpu
from scripts.benches.plan_rows import NOW

ROUNDS = 5
EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
HBA1C = OutcomeMeasure.HBA1C
_STATEMENT = """
WITH enrolled AS (
  SELECT e.patient_id, e.starts_on FROM enrolment e
   WHERE e.id IN (SELECT min(id) FROM enrolment WHERE {clinic} GROUP BY patient_id)),
 measured AS (
  SELECT r.patient_id, r.kind, r.id, r.value, {day} AS day
    FROM enrolled e JOIN reading r ON r.patient_id = e.patient_id AND r.kind IN ({kinds})
   WHERE NOT r.is_void AND NOT r.is_unreliable AND r.bound IS NULL AND r.withdrawn_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM reading c WHERE c.supersedes_id = r.id)),
 time (point, since, target, until) AS (VALUES {windows}),
 nearest AS (
  SELECT m.patient_id, m.kind, t.point, m.value,
         row_number() OVER (PARTITION BY m.patient_id, m.kind, t.point
                            ORDER BY abs(m.day - t.target), m.day DESC, m.id DESC) AS place
    FROM measured m JOIN time t ON m.day BETWEEN t.since AND t.until),
 of_patient AS (
  SELECT patient_id, kind, max(CASE WHEN point = 'baseline' THEN value END) AS before,
         max(CASE WHEN point = 'month_3' THEN value END) AS month_3,
         max(CASE WHEN point = 'month_6' THEN value END) AS month_6
    FROM nearest WHERE place = 1 GROUP BY patient_id, kind)
SELECT o.kind, t.point, count(*), count(o.before), count(p.change), avg(p.change),
       sum(p.change * p.change), avg(CASE WHEN p.change IS NOT NULL THEN o.before END),
       sum(CASE WHEN p.change <= -0.5 THEN 1 ELSE 0 END)
  FROM of_patient o JOIN enrolled e ON e.patient_id = o.patient_id
  JOIN time t ON t.point <> 'baseline' AND {over} < '{today}'
 CROSS JOIN LATERAL (
  SELECT CASE WHEN t.point = 'month_3' THEN o.month_3 ELSE o.month_6 END - o.before AS change) p
 GROUP BY o.kind, t.point
"""
_CHANGE = "(CASE WHEN t.point = 'month_3' THEN o.month_3 ELSE o.month_6 END - o.before)"


def run(patients: int | None, url: str | None) -> Result:
    """Measure the change of HbA1c of a clinic among so many patients."""
    with databases.filled(url, partial(outcome_rows.fill, patients=patients or 20_000)) as there:
        return measured(*there)


def measured(address: str, sessions: Sessions) -> Result:
    """Measure over rows that are there."""
    garbage.leave_what_is_loaded()  # as the web server does
    with closing(databases.connect(address)) as connection, orm.reading(), sessions() as session:
        clinics = session.scalars(select(Clinic).order_by(Clinic.id)).all()
        here = Here.of(EVERYTHING, clinics[0], now=NOW)
        _agree(hba1c(session, here), connection.execute(_bare(address, [HBA1C], 1)).fetchall())

        def sides(
            ours: Callable[[], Any], measures: list[OutcomeMeasure], clinic: int | None
        ) -> tuple[list[Sample], list[Sample]]:
            statement = _bare(address, measures, clinic)
            pid = backend_pid(session.connection().connection.dbapi_connection)
            limit = backend_pid(connection)
            return alternate(
                lambda: timed_cpu(ours, pid),
                lambda: timed_cpu(lambda: connection.execute(statement).fetchall(), limit),
                rounds=ROUNDS,
            )

        ours, limit = sides(lambda: hba1c(session, here), [HBA1C], 1)
        every = sides(lambda: _by_clinic(session, here, clinics), [HBA1C], None)
        page = sides(lambda: everything(session, here), list(OutcomeMeasure), 1)
    extra = {
        "patients of the clinic": f"{outcome_rows.OF_A_CLINIC:,}",
        f"all {len(clinics)} clinics": compared(every),
        "all that the page says": compared(page),
    }
    return Result("outcomes", "ms of CPU for HbA1c", ours, limit, extra)


def compared(sides: tuple[list[Sample], list[Sample]]) -> str:
    """Return both sides and their ratio in words."""
    ours, limit = (min(each.value for each in side) for side in sides)
    return f"{ours:.0f} ms, limit {limit:.0f} ms, ratio {ours / limit:.2f}"


def hba1c(session: Session, here: Here) -> list[Outcome]:
    """Return what is said of HbA1c, with everything worked out."""
    cohort = outcomes.cohort(session, here, here.today, measures=[HBA1C], with_talks=False)
    found = [outcome_of(cohort.patients, HBA1C, at, today=cohort.today) for at in FOLLOW_UPS]
    for each in found:
        _told(each)
    return found


def everything(session: Session, here: Here) -> None:
    """Work out all that the page of outcomes says, but not the page."""
    cohort = outcomes.cohort(session, here, here.today)
    found = {
        (measure, at): outcome_of(cohort.patients, measure, at, today=cohort.today)
        for measure in OutcomeMeasure
        for at in FOLLOW_UPS
    }
    for each in found.values():
        _told(each)
    what = (HBA1C, Point.MONTH_6)
    groups = strata.of(session, here, here.today, cohort, what, Dimension.PHQ9)
    for each in groups.outcomes.values():
        _told(each)
    measured_throughout(found[what].eligible, *what)
    for pairs in doses_of(found[what]):
        rank_correlation(pairs)
    outcomes.glycaemic_status(session, here, here.today)


def _by_clinic(session: Session, here: Here, clinics: Any) -> None:
    cohort = outcomes.Cohort(here.today, here.today, here.now, People.of(()))
    what = (HBA1C, Point.MONTH_6)
    groups = strata.of(session, here, here.today, cohort, what, Dimension.CLINIC, clinics)
    for each in groups.outcomes.values():
        _told(each)


def _told(outcome: Outcome) -> None:
    for group in Group:
        outcome.count(group)
    for value in (outcome.change, outcome.mean_before(Group.MEASURED), outcome.mean_after):
        del value


def _agree(ours: list[Outcome], bare: list[Any]) -> None:
    """Raise unless both say nearly the same: their days differ by some hours."""
    counts = {row[1]: row[4] for row in bare}
    for each in ours:
        n = each.count(Group.MEASURED)
        if abs(counts.get(each.point.value, 0) - n) > max(5, n // 50):
            raise SystemExit(f"Measured twice: {n} and {counts[each.point.value]}.")


def _bare(address: str, measures: list[OutcomeMeasure], clinic: int | None) -> str:
    is_sqlite = databases.is_sqlite(address)
    kinds = [kind for measure in measures for kind in KINDS[measure]]
    windows = [
        f"('{point}', {each.from_day}, {each.target_day}, {each.until_day})"
        for point, each in WINDOWS.items()
    ]
    statement = _STATEMENT
    if is_sqlite:  # which knows no LATERAL
        before, _join, after = statement.partition(" CROSS JOIN LATERAL")
        statement = before.replace("p.change", _CHANGE) + after.partition(") p\n")[2]
    return statement.format(
        clinic="1 = 1" if clinic is None else f"clinic_id = {clinic}",
        kinds=", ".join(f"'{kind}'" for kind in kinds),
        windows=", ".join(windows),
        day=(
            "CAST(julianday(substr(r.taken_at, 1, 10)) - julianday(e.starts_on) AS INTEGER)"
            if is_sqlite
            else "(r.taken_at AT TIME ZONE 'UTC')::date - e.starts_on"
        ),
        over="date(e.starts_on, t.until || ' days')" if is_sqlite else "e.starts_on + t.until",
        today=NOW.date().isoformat(),
    )
