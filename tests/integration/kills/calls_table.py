"""Requests around calls: the queue, the call, the telephone, texts that come in."""

from collections.abc import Callable

from tests.fakes import call_sid
from tests.integration.kills.sending import Form, Request, shown
from tests.integration.kills.world import CLINICS_NUMBER, World

REPORT = {
    "planned_call_id": "{call}", "form_key": "one", "glucose_unit": "mg/dL", "hba1c_unit": "%",
    "weight_unit": "kg",
}  # fmt: skip
OTHERS = REPORT | {"planned_call_id": "{next_call}", "form_key": "two"}
PATIENTS_SID = "CA" + "b" * 32


def _staff_leg(world: World) -> str:
    return call_sid(int(str(world.names["phone_call"])))


def _rung(**told: str) -> Callable[[World], Form]:
    """Return a report about the telephone of who calls."""
    return lambda world: {"CallSid": _staff_leg(world), **told}


# Recording commits twice: first it ends what only reads, then it writes in one transaction.
CALLS: dict[str, Request] = {
    "calls.record": Request(
        "caller",
        "/calls/{patient}",
        REPORT
        | {
            "reached": "yes",
            "minutes": "9",
            "note": "Walked.",
            "glucose": "132",
            "promise": "The dentist",
        },
        commits=2,
    ),
    "calls.record, nobody answers": Request(
        "caller",
        "/calls/{patient}",
        REPORT | {"reached": "no", "outcome": "no_answer"},
        commits=2,
    ),
    "calls.record, safety": Request(
        "caller",
        "/calls/{patient}",
        REPORT
        | {"reached": "yes", "outcome": "reached_safety", "minutes": "3", "note": "No way out."},
        commits=2,
    ),
    "calls.start": Request("caller", "/calls/{patient}/start"),
    "calls.stop": Request("caller", "/calls/{patient}/stop", after=("calls.start",)),
    "calls.lease": Request(
        "caller", "/calls/{patient}/lease", after=("calls.start",), later=2, commits=2
    ),
    "calls.draft": Request(
        "caller",
        "/calls/{patient}/draft",
        REPORT | {"note": "She said", "version": "0", "tab": "a"},
        more=frozenset({"call_draft"}),
        why="the same words under the next number of their version",
    ),
    "calls.dial": Request(
        "caller",
        "/calls/{patient}/dial",
        {"press_key": "one"},
        commits=2,
        more=frozenset({"phone_call"}),
        why="who died before the carrier answered asks it later: phoning/test_trouble.py",
    ),
    "calls.not_today": Request("caller", "/calls/{patient}/not-today", {"reason": "At a wedding"}),
    "calls.not_today, after all": Request(
        "caller", "/calls/{patient}/not-today", {"show_again": "1"}, after=("calls.not_today",)
    ),
    "calls.promise": Request("caller", "/promises/{promise}", {"done": "1"}),
    "calls.promise, tomorrow": Request("caller", "/promises/{promise}", {"put_off": "1"}),
    "calls.done_for_today": Request("caller", "/queue/done-for-today"),
    "calls.correct": Request(
        "manager",
        "/calls/{other}/attempts/{attempt}",
        {
            "form_key": "three",
            "outcome": "no_answer",
            "minutes": "0",
            "note": "",
            "reason": "Wrong button.",
        },
    ),
    "calls.take_back": Request(
        "caller", "/calls/{patient}/attempts/{newest_attempt}/take-back", after=("calls.record",)
    ),
    "asking.keep": Request(
        "caller", "/calls/{patient}/ask/phq2", {"form_key": "four", "item_1": "2"}
    ),
    "asking.finish": Request(
        "caller",
        "/calls/{patient}/ask/phq2/finish",
        {"form_key": "four"},
        after=("asking.keep", "asking.keep, the last"),
    ),
    "asking.keep, the last": Request(
        "caller", "/calls/{patient}/ask/phq2", {"form_key": "four", "item_2": "1"}
    ),
    "nurse_asking.keep": Request(
        "nurse", "/patients/{patient}/ask/phq2", {"form_key": "five", "item_1": "2"}
    ),
    "nurse_asking.keep, the last": Request(
        "nurse", "/patients/{patient}/ask/phq2", {"form_key": "five", "item_2": "1"}
    ),
    "nurse_asking.finish": Request(
        "nurse",
        "/patients/{patient}/ask/phq2/finish",
        {"form_key": "five"},
        after=("nurse_asking.keep", "nurse_asking.keep, the last"),
    ),
    "safety.raise_concern": Request(
        "caller",
        "/safety/{patient}/raise",
        {
            "form_key": "six",
            "kind": "self_harm",
            "words": "Says she cannot go on.",
            "where_now": "12 Oak Street",
            "ring_back": "(512) 555-0147",
        },
    ),
    "safety.add_words": Request(
        "caller", "/safety/{patient}/{concern}", {"words": "Her sister is there."}
    ),
    "phoning.hang_up": Request(
        "colleague",
        "/phone/calls/{phone_call}/hang-up",
        after=("phoning_webhooks.answered",),
        commits=2,
    ),
    "phoning.find": Request("caller", "/phone/find", {"number": "5125550147"}),
    "phoning.done": Request("colleague", "/phone/returned/{returned}/done"),
    "phoning_webhooks.answered": Request(None, "/webhooks/voice/{phone_call}/answered", _rung()),
    "phoning_webhooks.key": Request(
        None,
        "/webhooks/voice/{phone_call}/key",
        _rung(Digits="1"),
    ),
    "phoning_webhooks.patient_leg": Request(
        None,
        "/webhooks/voice/{phone_call}/patient",
        {"CallSid": PATIENTS_SID, "CallStatus": "in-progress", "SequenceNumber": "2"},
        after=("phoning_webhooks.key",),
    ),
    "phoning_webhooks.answered_by": Request(
        None,
        "/webhooks/voice/{phone_call}/answered-by",
        {"CallSid": PATIENTS_SID, "AnsweredBy": "human"},
        after=("phoning_webhooks.patient_leg",),
    ),
    "phoning_webhooks.over": Request(
        None,
        "/webhooks/voice/{phone_call}/over",
        lambda world: {
            "CallSid": _staff_leg(world),
            "DialCallSid": PATIENTS_SID,
            "DialCallStatus": "completed",
            "DialCallDuration": "61",
        },
        after=("phoning_webhooks.patient_leg",),
    ),
    "phoning_webhooks.staff_leg": Request(
        None,
        "/webhooks/voice/{phone_call}/staff",
        _rung(CallStatus="completed", CallDuration="70", SequenceNumber="3"),
        after=("phoning_webhooks.patient_leg",),
    ),
    "phoning_webhooks.incoming": Request(
        None,
        "/webhooks/voice/incoming",
        {"CallSid": "CA" + "c" * 32, "From": "+15125550177", "To": CLINICS_NUMBER},
    ),
    "inbox_webhooks.incoming, stop": Request(
        None,
        "/webhooks/texts/incoming",
        {
            "MessageSid": "SM" + "1" * 32,
            "From": "+15125550147",
            "To": CLINICS_NUMBER,
            "Body": "STOP",
        },
    ),
    "inbox_webhooks.incoming, danger": Request(
        None,
        "/webhooks/texts/incoming",
        {
            "MessageSid": "SM" + "2" * 32,
            "From": "+15125550147",
            "To": CLINICS_NUMBER,
            "Body": "I want to kill myself",
        },
    ),
    "messaging_webhooks.sms_status": Request(
        None,
        "/webhooks/sms-status/{sent_text}",
        {"MessageSid": "SM" + "5" * 32, "MessageStatus": "delivered"},
    ),
    "messaging.resend": Request("manager", "/messages/{lost_text}/resend"),
    "inbox.done": Request("caller", "/texts/items/{inbox_item}/done"),
    "inbox.all_done": Request(
        "caller", "/texts/{patient}/done", {"read_up_to": "{newest_inbound_text}"}
    ),
    "inbox.conversation": Request(
        "caller",
        "/texts/{patient}",
        shown("caller", "/texts/{patient}", words="How is your cat?"),
    ),
    "inbox.draft": Request(
        "caller",
        "/texts/{patient}/draft",
        {"words": "How is", "version": "0", "form_key": "seven"},
        more=frozenset({"answer_draft"}),
        why="the same words under the next number of their version",
    ),
    "inbox.stop": Request("caller", "/texts/{patient}/stop"),
    "inbox.readings": Request("caller", "/texts/{patient}/readings", {"agreed": "yes"}),
}
