"""Requests about one patient: their page, readings, concerns, welfare, keeping of data."""

from tests.integration.kills.sending import Request, shown

CLOSED = {"note": "Spoke with her; her sister stays.", "close": "1"}
READINGS = {"form_key": "one", "value_hba1c": "8.1", "unit_hba1c": "%", "on": "2026-11-20"}
WEIGHED = {"form_key": "two", "value_weight": "81", "unit_weight": "kg", "on": "2026-11-20"}

PATIENTS: dict[str, Request] = {
    "chart.details": Request(
        "caller",
        "/patients/{patient}/details",
        {
            "preferred_name": "Rosi",
            "language": "en",
            "zone": "America/Chicago",
            "weekdays": ["1"],
            "first_daypart": "morning",
            "second_daypart": "",
            "voicemail": "yes",
            "about": "Tea.",
        },
    ),
    "chart.details, of a manager": Request(
        "manager",
        "/patients/{patient}/details",
        {
            "language": "en",
            "zone": "America/Chicago",
            "first_daypart": "",
            "second_daypart": "",
            "voicemail": "yes",
            "date_of_birth": "1964-03-02",
            "sex": "other",
        },
    ),
    "chart.wishes": Request("caller", "/patients/{patient}/wishes", {"add_weekday": "3"}),
    "chart.welfare_check": Request(
        "caller", "/patients/{patient}/welfare-check", {"agreed": "yes"}
    ),
    "chart.rhythm": Request("caller", "/patients/{patient}/rhythm", {"value": "5"}),
    "chart.status, pause": Request(
        "manager",
        "/patients/{patient}/status",
        {"seen": "active", "status": "paused", "pause_reason": "travel"},
    ),
    "chart.status, withdrawn": Request(
        "manager",
        "/patients/{patient}/status",
        {"seen": "active", "status": "withdrawn", "reason": "moved away"},
    ),
    "chart.enrol": Request("manager", "/patients/{newcomer}/enrolment"),
    "chart.milestone": Request("caller", "/patients/{patient}/milestones/health_tool"),
    "chart.follow_up": Request(
        "caller", "/patients/follow-ups/{review_times}", {"note": "Evenings are better."}
    ),
    "chart.letter": Request("manager", "/patients/follow-ups/{contact_check}/letter"),
    "chart.give_up": Request("manager", "/patients/follow-ups/{contact_check}/unreachable"),
    "panels.change_caller": Request(
        "manager",
        "/patients/{patient}/caller",
        shown(
            "manager",
            "/patients/{patient}/caller",
            caller_id="{colleague}",
            reason="patient asked",
            note="Likes tea.",
        ),
    ),
    "chart.handover": Request(
        "colleague",
        "/patients/{patient}/handover",
        shown("colleague", "/patients/{patient}/handover"),
        after=("panels.change_caller",),
    ),
    "goals.add": Request(
        "caller", "/patients/{patient}/goals/", {"area": "own", "text": "Walk to the river"}
    ),
    "goals.end": Request(
        "caller",
        "/patients/{patient}/goals/{newest_goal}",
        {"ending": "reached"},
        after=("goals.add",),
    ),
    "patients.add_number": Request(
        "caller", "/patients/{patient}/numbers", {"number": "(512) 555-0144"}
    ),
    "patients.dead_number": Request(
        "caller",
        "/patients/{patient}/numbers/{number}",
        {"words": "Her son answers there.", "number": "(512) 555-0145"},
    ),
    "patients.texts": Request(
        "caller",
        "/patients/{patient}/texts",
        {"topics": ["reminders"], "calls": "no", "source": "call"},
    ),
    "results.new": Request("nurse", "/patients/{patient}/readings/new", READINGS),
    "results.correct": Request(
        "nurse",
        "/patients/{patient}/readings/{reading}/correct",
        {"value": "8.9", "unit": "%", "on": "2026-11-20", "reason": "Misread."},
    ),
    "assessing.find": Request("assessor", "/assess/", {"record_number": "{record_number}"}),
    "assessing.visit": Request("assessor", "/assess/{patient}", WEIGHED),
    "assessing.tell_nurse": Request(
        "assessor", "/assess/{patient}/concern", {"tell_key": "one", "words": "Looks faint."}
    ),
    "concerns.acknowledge": Request("nurse", "/concerns/{concern}/acknowledge"),
    "concerns.work": Request("nurse", "/concerns/{concern}", CLOSED),
    "concerns.work, noted": Request(
        "nurse", "/concerns/{concern}", {"note": "Rang; no answer.", "keep": "1"}
    ),
    "concerns.review": Request(
        "manager", "/concerns/{concern}/review", {"agree": "1"}, after=("concerns.work",)
    ),
    "concerns.review, opened again": Request(
        "manager",
        "/concerns/{concern}/review",
        {"reopen": "1", "note": "The sister left."},
        after=("concerns.work",),
    ),
    "concerns.flags_of": Request(
        "nurse",
        "/concerns/flags/{patient}",
        {"kind": "other", "words": "Lives alone", "review_on": "2026-12-01"},
    ),
    "concerns.review_flag": Request(
        "nurse",
        "/concerns/flags/{newest_risk_flag}/review",
        {"note": "Still so.", "review_on": "2026-12-15", "keep": "1"},
        after=("concerns.flags_of",),
    ),
    "concerns.limits_of": Request(
        "nurse",
        "/concerns/limits/{patient}?measure=glucose",
        shown(
            "nurse",
            "/concerns/limits/{patient}?measure=glucose",
            low="75",
            high="240",
            unit="mg/dL",
            reason="Old age",
            keep="1",
        ),
    ),
    "retention.place_hold": Request(
        "manager", "/retention/patients/{patient}/hold", {"reason": "Case 12 at court"}
    ),
    "retention.lift_hold": Request(
        "manager",
        "/retention/patients/{patient}/hold/lift",
        {"reason": "The case is closed"},
        after=("retention.place_hold",),
    ),
    "retention.note_request": Request(
        "manager",
        "/retention/patients/{newcomer}/deletion",
        {"asked_by": "patient", "asked_on": "2026-11-20", "note": "By letter."},
    ),
    "retention.decide_request": Request(
        "second",
        "/retention/patients/{newcomer}/deletion/decision",
        {"decision": "granted", "ground": "", "explanation": "Nothing stands in the way."},
        after=("retention.note_request",),
    ),
    "welfare.step": Request(
        "nurse", "/welfare/{welfare_check}/steps", {"kind": "letter", "note": "Sent today."}
    ),
    "welfare.close": Request(
        "nurse", "/welfare/{welfare_check}/close", {"outcome": "spoken with", "note": "Is well."}
    ),
    "welfare.contact": Request(
        "caller",
        "/welfare/contact/{patient}",
        {"name": "Luz Nguyen", "relation": "sister", "phone": "(512) 555-0143", "is_agreed": "y"},
    ),
}
