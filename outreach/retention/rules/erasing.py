"""What becomes of each text that is kept of a patient once they are anonymised. Pure.

A test walks every table that leads to a patient and fails for a text of which nothing is said
here, so that a new one can't be forgotten.
"""

from collections.abc import Mapping
from typing import Any

GIVEN_NAME = "Anonymised"
FAMILY_NAME = "patient"

# Rows that are of no use without the person, and of which no figure is made.
DELETED = (
    "answer_draft",
    "attempt_before",
    "begun_questionnaire",
    "call_draft",
    "call_draft_aside",
    "call_lease",
    "emergency_contact",
    "number_note",  # before the numbers that it tells of
    "phone_number",
    "search_entry",
    "text_question",
)

# Texts that go, and what stands in their place.
REPLACED: Mapping[str, Mapping[str, Any]] = {
    "patient": {
        "given_name": GIVEN_NAME,
        "family_name": FAMILY_NAME,
        "preferred_name": None,
        "said_as": None,
        "pronouns": None,
        "about": "",
        "approach": None,
        "dayparts": [],
    },
    "attempt": {"answers_hash": ""},
    "attempt_correction": {"reason": ""},
    "call_hiding": {"reason": ""},
    "call_note": {"text": ""},
    "concern_step": {"note": ""},
    "cover": {"note": ""},
    "deletion_request": {"note": "", "explanation": ""},
    "emergency_access": {"reason": ""},
    "enrolment": {"status_reason": "", "away_reason": ""},
    "enrolment_event": {"reason": ""},
    "follow_up": {"note": ""},
    "goal": {"text": ""},
    "goal_news": {"text": ""},
    "legal_hold": {"reason": "", "lifting_reason": ""},
    "message": {"provider_id": None},
    "own_limits": {"reason": ""},
    "panel_membership": {"note": ""},
    "phone_call": {"staff_sid": None, "patient_sid": None},
    "promise": {"text": ""},
    "reading": {"external_key": None, "reason": ""},
    "risk_flag": {"words": ""},
    "visit": {"external_key": None},
    "risk_flag_review": {"note": ""},
    "welfare_step": {"note": ""},
}

# Numbers: one of a patient's becomes 'removed-1' in each of these, another 'removed-2'. So a
# consent still is to the number that a text went to, and a check of texts still finds it.
NUMBERS: Mapping[str, str] = {
    "consent_event": "number",
    "message": "to_number",
    "phone_call": "number",
    "returned_call": "number",
}

# Texts that are made anew for each row.
MADE: Mapping[str, tuple[str, ...]] = {
    "patient": ("record_number", "date_of_birth"),
    "message": ("body",),
    "patient_before": ("date_of_birth",),
}

# Rows that several patients may share, by the table that leads to them: they go with the last.
SHARED: Mapping[str, Mapping[str, Any]] = {
    "inbound_text": {"from_number": "removed", "body": ""},
    "phone_call": {"number": "removed", "staff_sid": None, "patient_sid": None},
}

_CODE = "a word of ours or the carrier's"
_KEY = "a random or counted key"

# Texts that stay, each with the reason.
KEPT: Mapping[str, Mapping[str, str]] = {
    "patient": {
        "ref": "random; leads the audit trail and old addresses to the record",
        "language": "reports group by it",
        "zone": "days in reports are local",
        "state": "as coarse as 45 CFR 164.514(b)(2)(i)(B) allows",
    },
    "anonymised": {"record_hash": "keyed; a file that brings them back is known by it"},
    "attempt": {"form_key": _KEY},
    "audit_event": {"action": _CODE, "object_kind": _CODE},
    "audit_link": {"digest": "proves the trail"},
    "cadence_choice": {"phase": _CODE},
    "concern": {"form_key": _KEY, "asking_key": _KEY},
    "consent_event": {"wording": _CODE},
    "delivery_event": {"status": _CODE},
    "follow_up": {"reason": _CODE},
    "inbound_text": {"provider_id": "tells a repeated text", "to_number": "the clinic's"},
    "low_sugar_answer": {"language": "which words were read"},
    "message": {
        "dedupe_key": _KEY,
        "cause": _KEY,
        "language": "texts are counted by it",
        "failure": _CODE,
    },
    "milestone_done": {"code": _CODE},
    "own_limits": {"unit": _CODE},
    "panel_proposal_line": {"unmet": _CODE},
    "patient_before": {
        "language": "reports as of an earlier day group by it",
        "zone": "days in such reports are local",
    },
    "phone_call": {
        "press_key": _KEY,
        "staff_number": "the caller's",
        "shown_number": "the clinic's",
        "failure": _CODE,
    },
    "planned_call": {"phase": _CODE},
    "questionnaire": {
        "form_key": _KEY,
        "answers": "numbers of answers, which scores are made of",
        "skipped": _CODE,
    },
    "reading": {
        "entered_value": "the measured value",
        "entered_unit": _CODE,
        "signs": _CODE,
    },
    "report_week": {"phase": _CODE},
    "returned_call": {"dedupe_key": _KEY},
    "send_try": {"detail": _CODE},
}

# Tables that lead to no patient: what keeps each from naming one. A test holds the list to all
# tables, so that whoever adds one has to say.
_STAFF = "about staff and their accounts"
_CLINIC = "what a clinic set for itself"
_PROGRAMME = "the programme's own words"
_COUNTS = "ids and counts"
WITHOUT_PATIENT: Mapping[str, str] = {
    "access_key": "which other system reads a clinic, and who let it",
    "access_link": _STAFF,
    "audit_check": _COUNTS,
    "audit_link": _COUNTS,
    "authenticator": _STAFF,
    "brake_count": _COUNTS,
    "caller_absence": _STAFF,
    "caller_profile": _STAFF,
    "caller_shift": _STAFF,
    "clinic": _CLINIC,
    "clinic_closure": _CLINIC,
    "clinic_safety": _CLINIC,
    "crisis_card": _CLINIC,
    "directory_page": "written anew without them by the job 'fold directories'",
    "export": "its file is deleted after a setting's days; ids and references stay",
    "hours_rule": "what laws say",
    "import_run": "emptied of what it quotes by the job 'forget remarks of imports'",
    "instrument_permission": _CLINIC,
    "job_end": _COUNTS,
    "kept_search": "deleted by the job 'forget searches'",
    "last_backup": _COUNTS,
    "low_sugar_card": _CLINIC,
    "membership": _STAFF,
    "message_setting": _CLINIC,
    "on_call": _STAFF,
    "on_call_week": _STAFF,
    "outbox_hold": _COUNTS,
    "panel_proposal": _COUNTS,
    "passkey": _STAFF,
    "passkey_challenge": _STAFF,
    "planner_beat": _COUNTS,
    "planner_interruption": _COUNTS,
    "pulse_answer": _STAFF,
    "work_life_answer": _STAFF,
    "programme": _PROGRAMME,
    "programme_version": _PROGRAMME,
    "recovery_code": _STAFF,
    "region": _CLINIC,
    "region_clinic": _CLINIC,
    "region_membership": _STAFF,
    "region_role": _STAFF,
    "report_day": _COUNTS,
    "report_dial": _COUNTS,
    "report_rolled": _COUNTS,
    "report_target": _CLINIC,
    "report_touched_days": _COUNTS,
    "report_touched_enrolment": _COUNTS,
    "retention_setting": _CLINIC,
    "saved_list": "filters of a list, chosen from ours",
    "search_backlog": _COUNTS,
    "sender_pace": _CLINIC,
    "sign_in": _STAFF,
    "sign_in_failure": _STAFF,
    "staff_language": _STAFF,
    "staff_member": _STAFF,
    "support_request": _STAFF,
    "typed_form": "deleted by the job 'forget typed forms'",
    "text_limit": _CLINIC,
    "unrecorded_text": "deleted by the job 'forget unrecorded texts'",
    "wording": _CLINIC,
}

# Tables that lead to a patient through another one: column, and the table it leads to.
THROUGH: Mapping[str, tuple[str, str]] = {
    "attempt_before": ("attempt_id", "attempt"),
    "concern_alert": ("concern_id", "concern"),
    "concern_step": ("concern_id", "concern"),
    "delivery_event": ("message_id", "message"),
    "low_sugar_answer": ("concern_id", "concern"),
    "panel_proposal_line": ("enrolment_id", "enrolment"),
    "phone_event": ("phone_call_id", "phone_call"),
    "risk_flag_review": ("flag_id", "risk_flag"),
    "send_try": ("message_id", "message"),
}


def pseudonyms(numbers: list[str]) -> dict[str, str]:
    """Return what stands for each of a patient's numbers, in the order in which they come."""
    return {number: f"removed-{at}" for at, number in enumerate(dict.fromkeys(numbers), start=1)}
