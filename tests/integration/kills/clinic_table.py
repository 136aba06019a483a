"""Requests by which a clinic is run: hours, on call, words, programmes, panels, imports."""

import io
import json

from outreach.programmes.models import ProgrammeVersion
from tests.integration.kills.sending import Form, Request, shown
from tests.integration.kills.world import World

IMPORTED = (
    b"mrn,given_name,family_name,date_of_birth,phone,time_zone,language,start_date\n"
    b"R900,Ines,Ortega,1971-02-03,+15125550133,America/Chicago,es,2026-11-23\n"
)
THANKS = "{clinic}: thank you for today. Reply STOP to get no more texts."
CODE = "published-protocol"


def _protocol(world: World) -> Form:
    """Return the protocol that holds, with one more try for a call, as the review sends it."""
    with world.sessions() as session:
        version = session.get_one(ProgrammeVersion, world.newest("programme_version"))
        tries = version.data["attempts"]
        changed = version.data | {"attempts": tries | {"max_dials": tries["max_dials"] + 1}}
        seen = str(version.number)
    return {"protocol": lambda: json.dumps(changed), "seen": seen, "whom": "all", "reason": "Try."}


def uploaded(world: World) -> str:
    """Upload a file; return where its check is."""
    files = {"files": (io.BytesIO(IMPORTED), "patients.csv")}
    answer = world.browser("manager").post("/import/", data=files)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


CLINIC: dict[str, Request] = {
    "calling_hours.clinic_hours": Request(
        "manager", "/hours/", {"opens": "09:00", "closes": "11:00", "keeps_holidays": "y"}
    ),
    "calling_hours.close_day": Request(
        "manager", "/hours/closed-days", {"on": "2026-12-04", "name": "Inventory"}
    ),
    "calling_hours.reopen_day": Request(
        "manager",
        "/hours/closed-days/{newest_clinic_closure}/remove",
        after=("calling_hours.close_day",),
    ),
    "calling_hours.laws": Request(
        "administrator",
        "/hours/laws",
        {
            "region": "US",
            "state": "TX",
            "weekdays": ["0", "1", "2", "3", "4"],
            "opens": "09:00",
            "closes": "20:00",
            "from_on": "2026-11-01",
            "source": "Code 302",
        },
    ),
    "calling_hours.end_law": Request(
        "administrator",
        "/hours/laws/{newest_hours_rule}/end",
        {"until_on": "2027-01-01"},
        after=("calling_hours.laws",),
    ),
    "rota.on_call": Request(
        "manager",
        "/concerns/on-call",
        {
            "staff_id": "{manager}",
            "rank": "first",
            "from_at": "2026-11-24T08:00",
            "until_at": "2026-11-25T08:00",
        },
    ),
    "rota.add_week": Request(
        "manager",
        "/concerns/on-call/weekly",
        {
            "week-staff_id": "{manager}",
            "week-rank": "backup",
            "week-weekdays": ["5"],
            "week-begins": "08:00",
            "week-ends": "20:00",
        },
    ),
    "rota.end_week": Request("manager", "/concerns/on-call/weekly/{newest_on_call_week}/end"),
    "rota.keep_net": Request(
        "manager", "/concerns/on-call/net", {"net-needed": "first", "net-lead_id": "{manager}"}
    ),
    "rota.end_on_call": Request("manager", "/concerns/on-call/{duty}/end"),
    "rota.alert_number": Request(
        "manager", "/concerns/on-call/numbers/{nurse}", {"phone": "(512) 555-0192"}
    ),
    "rota.card": Request(
        "manager",
        "/concerns/on-call/card?language=en",
        {"emergency": "911", "lifeline": "988", "lifeline_hint": "", "say": "Stay with me."},
    ),
    "rota.low_sugar_card": Request(
        "manager",
        "/concerns/on-call/low-sugar?language=en",
        {
            "seen": "0",
            "say": "Sit down.\nEat something sweet now.",
            "approved_by": "Dr. Lee",
            "approved_on": "2026-11-20",
            "keep": "1",
        },
    ),
    "messaging.settings": Request(
        "manager",
        "/messages/settings",
        {"per_day": "2", "per_week": "4", "unreachable_times": "3", "settle_minutes": "60"},
    ),
    "messaging.choose_sender": Request(
        "administrator", "/messages/settings/sender", {"sender": "+15125550111", "per_second": "5"}
    ),
    "messaging.choose_kinds": Request(
        "manager", "/messages/clinics/{clinic}/kinds", {"kinds": ["thank_you", "missed_you"]}
    ),
    "wordings.edit": Request(
        "manager",
        "/wordings/thank_you/en",
        shown("manager", "/wordings/thank_you/en", body=lambda: THANKS),
    ),
    "instruments.permission": Request(
        "administrator",
        "/instruments/ucla3",
        {
            "granted_by": "The owner",
            "granted_on": "2026-11-01",
            "wording": "You may.",
            "introduction": "",
            "items": "One?\nTwo?\nThree?",
            "answer_words": "",
            "is_permitted": "y",
        },
    ),
    "instruments.permission, for callers": Request(
        "administrator",
        "/instruments/proqol",
        {
            "granted_by": "The owner",
            "granted_on": "2026-11-01",
            "wording": "You may.",
            "introduction": "",
            "items": "\n".join(f"Statement {number}" for number in range(1, 31)),
            "answer_words": "",
            "is_permitted": "y",
        },
    ),
    "instruments.withdraw": Request(
        "administrator",
        "/instruments/ucla3/withdraw",
        {"reason": "It ran out."},
        after=("instruments.permission",),
    ),
    "protocols.publish": Request("administrator", f"/programmes/{CODE}/versions", _protocol),
    "protocols.start": Request(
        "administrator", f"/programmes/{CODE}/copies", {"name": "For teenagers"}
    ),
    "panels.propose": Request(
        "manager",
        "/panels/propose",
        {"clinic": "HERE"},
        more=frozenset({"panel_proposal", "panel_proposal_line"}),
        why="worked out once more: the newer proposal is the open one, and nothing else changed",
    ),
    "panels.line": Request(
        "manager",
        "/panels/proposal/lines/{line}",
        shown(
            "manager",
            "/panels/proposal/lines/{line}",
            caller_id="{colleague}",
            starts_on="2026-11-30",
        ),
    ),
    "panels.apply": Request(
        "manager", "/panels/proposal/apply", shown("manager", "/panels/proposal")
    ),
    "panels.drop": Request("manager", "/panels/proposal/drop"),
    "patient_list.search": Request(
        "manager",
        "/patients/search",
        {"text": "Rosa", "how": "all", "where": "names"},
        more=frozenset({"kept_search"}),
        why="each press of the button is one search, kept for a day under a token of its own",
    ),
    "patient_list.save": Request(
        "manager", "/patients/lists", {"name": "Mornings", "query": "", "shared": ""}
    ),
    "patient_list.drop": Request(
        "manager", "/patients/lists/{newest_saved_list}/delete", after=("patient_list.save",)
    ),
    "reports.target": Request(
        "manager",
        "/reports/target?measure=completion",
        {"seen": "0", "percent": "80", "due_on": "2027-03-31", "plan": "Call in the evenings."},
    ),
    "retention.years": Request("manager", "/retention/years", {"years": "7"}),
    "intake.carry_out": Request(
        "manager",
        uploaded,
        more=frozenset({"import_run"}),
        why="the file was read a second time, and says so; it brought in nobody and nothing twice",
    ),
}
