"""Patients of a year and a half with what was measured of them and said to them, in bulk."""

from sqlalchemy import text

from outreach.orm import Sessions
from outreach.sealing import Sealed
from scripts.benches import databases, plan_rows

OF_A_CLINIC = 5_000  # whatever else there is
DAYS = 500  # since somebody began
# Made from the patient's id, so that both databases have the same rows.
_MEASURED = """
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 40)
INSERT INTO reading (clinic_id, patient_id, kind, value, entered_value, entered_unit, taken_at,
                     is_time_known, recorded_at, source, is_unreliable, is_void, signs, reason)
SELECT e.clinic_id, e.patient_id, k.kind,
       k.least + (e.patient_id % 9973 * 7919 + n * 104729) % k.range / 10.0, '', '',
       {at}, {yes}, {at}, 'csv', {no}, {no}, '[]', :sealed
  FROM enrolment e
 CROSS JOIN (SELECT 'hba1c' AS kind, 6 AS least, 70 AS range, 45 AS step
             UNION ALL SELECT 'phq9_total', 0, 270, 91
             UNION ALL SELECT 'gad7_total', 0, 210, 91
             UNION ALL SELECT 'systolic', 100, 800, 60
             UNION ALL SELECT 'diastolic', 60, 400, 60
             UNION ALL SELECT 'weight', 60, 600, 60
             UNION ALL SELECT 'glucose', 80, 2000, 14) k
  JOIN series ON {day} <= '{today}'
 WHERE (e.id * 7 + n * 13) % 20 <> 3
"""
_CORRECTED = """
INSERT INTO reading (clinic_id, patient_id, kind, value, entered_value, entered_unit, taken_at,
                     is_time_known, recorded_at, source, is_unreliable, is_void, signs, reason,
                     supersedes_id)
SELECT clinic_id, patient_id, kind, value + 1, '', '', taken_at, {yes}, recorded_at, 'csv', {no},
       {no}, '[]', :sealed, id FROM reading WHERE id % 100 = 1
"""
_TALKS = """
WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 20)
INSERT INTO attempt (form_key, answers_hash, clinic_id, patient_id, enrolment_id, planned_call_id,
       caller_id, is_primary_caller, at, minutes, outcome)
SELECT 'bench-' || c.id || '-' || n, '', c.clinic_id, c.patient_id, c.enrolment_id, c.id,
       m.caller_id, {yes}, {at}, 5 + (c.id + n) % 30,
       CASE WHEN n % 6 = 0 THEN 'reached_call_back' ELSE 'reached_completed' END
  FROM planned_call c
  JOIN enrolment e ON e.id = c.enrolment_id
  JOIN panel_membership m ON m.enrolment_id = e.id
  JOIN series ON {day} <= '{today}'
"""
_NOTED = """
INSERT INTO enrolment_event (clinic_id, patient_id, enrolment_id, status, version_id, reason, at)
SELECT clinic_id, patient_id, id, '{status}', version_id, :sealed, {at} FROM enrolment e
 WHERE {condition}
"""


_LEFT = """
UPDATE enrolment SET status = 'withdrawn', status_at = (SELECT max(at) FROM enrolment_event v
 WHERE v.enrolment_id = enrolment.id)
 WHERE id IN (SELECT enrolment_id FROM enrolment_event WHERE status = 'withdrawn')
"""


def fill(address: str, sessions: Sessions, patients: int) -> int:
    """Write so many patients, one in twenty of whom left, and return of how many clinics."""
    clinics = max(1, patients // OF_A_CLINIC)
    plan_rows.fill(address, patients, clinics=clinics, days=DAYS)
    began, later = _words(address, "0"), _words(address, "100")
    is_leaving = f"e.id % 20 = 3 AND {later['day']} <= '{later['today']}'"
    statements = {
        "UPDATE enrolment AS e SET enrolled_at = {at}, status_at = {at}": began,
        _MEASURED: _words(address, "(n * k.step - 20 + e.id % 30)"),
        _CORRECTED: began,
        _TALKS: _words(address, "(n * 9)"),
        _NOTED.replace("{status}", "active"): began | {"condition": "1 = 1"},
        _NOTED.replace("{status}", "withdrawn"): later | {"condition": is_leaving},
        _LEFT: {},
    }
    with sessions.begin() as session:
        for statement, words in statements.items():
            place = "enrolment_event" if "enrolment_event (" in statement else "reading"
            sealed = {"sealed": Sealed(f"{place}.reason").sealed("")}
            session.execute(
                text(statement.format(**words)), sealed if ":sealed" in statement else {}
            )
    databases.settle(address)
    return clinics


def _words(address: str, days: str) -> dict[str, str]:
    """Return what the two databases say differently of so many days after somebody began."""
    today = plan_rows.TODAY.isoformat()
    if databases.is_sqlite(address):
        day = f"date(e.starts_on, {days} || ' days')"
        return {
            "day": day,
            "at": f"{day} || ' 17:00:00.000000'",
            "yes": "1",
            "no": "0",
            "today": today,
        }
    return {
        "day": f"e.starts_on + {days}",
        "at": f"(e.starts_on + {days}) + time '17:00'",
        "yes": "true",
        "no": "false",
        "today": today,
    }
