"""Requests about those who work here: signing in, accounts, callers, keys, files."""

import re
from collections.abc import Callable

from outreach.factors import authenticator, recovery
from outreach.factors.rules import code_of, step_at
from tests.builders import PASSWORD
from tests.integration.kills.sending import Form, Request, proposed, shown
from tests.integration.kills.world import World
from tests.passkeys import Device

DEVICE = Device()
DAYS = {"from_on": "2026-11-25", "last_on": "2026-11-27"}
SIGN_INS = frozenset({"sign_in"})
QUESTIONS = frozenset({"passkey_challenge"})
ASKED_ANEW = "each question to a passkey is answered once; who is asked again has a new one"


def _app_code(world: World) -> Form:
    """Return what the app of the manager shows now."""
    outside = world.app.extensions["outreach"]
    with world.sessions() as session:
        staff_id = world.people["manager"].id
        secret = authenticator.proposed(session, staff_id, outside.cipher)
    assert secret is not None
    return {"code": code_of(secret, step_at(outside.clock()))}


def _recovery_code(world: World) -> Form:
    """Sign the manager in by password in another browser, which then owes the second step."""
    outside = world.app.extensions["outreach"]
    with world.sessions.begin() as session:
        staff_id = world.people["manager"].id
        codes = recovery.renew(session, staff_id, outside.cipher, now=outside.clock())
    browser = world.app.test_client()
    browser.post("/sign-in", data={"email": world.people["manager"].email, "password": PASSWORD})
    world.remember("halfway", browser)
    return {"code": codes[0]}


def _new_passkey(world: World) -> Form:
    question = world.browser("manager").post("/my-sign-in/passkeys/question").text
    return {"name": "Laptop", "answer": DEVICE.made(question)}


def _signed(who: str | None, path: str) -> Callable[[World], Form]:
    def answer(world: World) -> Form:
        return DEVICE.signed(world.browser(who).post(path).text)

    return answer


def _link(world: World) -> str:
    page = world.browser("administrator").post(f"/staff/{world.names['spare']}/link").text
    found = re.search(r"/welcome/[\w-]+", page)
    assert found
    return found[0]


PEOPLE: dict[str, Request] = {
    "access_keys.make": Request(
        "administrator",
        "/access-keys/",
        {
            "name": "Charts",
            "clinic": "HERE",
            "last_day": "2026-12-31",
            "form_key": "one",
            "purpose": "Weekly blood sugar into the record",
        },
    ),
    "access_keys.revoke": Request(
        "administrator", "/access-keys/{newest_access_key}/revoke", after=("access_keys.make",)
    ),
    "oversight.trail_page": Request(
        "manager", "/audit/", {"from_on": "2026-11-01", "until_on": "2026-11-23"}
    ),
    "regions.index": Request("administrator", "/regions/", {"name": "North"}),
    "regions.clinics": Request(
        "administrator",
        "/regions/{newest_region}/clinics",
        {"clinics": "{clinic}"},
        after=("regions.index", "regions.give_role"),
    ),
    "regions.give_role": Request(
        "administrator",
        "/regions/{newest_region}/roles",
        {"email": "{nurse_email}", "role": "manager"},
        after=("regions.index",),
    ),
    "regions.end_role": Request(
        "administrator",
        "/regions/{newest_region}/roles/{newest_region_role}/end",
        after=("regions.index", "regions.give_role", "regions.clinics"),
    ),
    "accounts.sign_in": Request(
        None,
        "/sign-in",
        {"email": "{caller_email}", "password": PASSWORD},
        more=SIGN_INS,
        why="another session of the same person, who has the newer one; the older one idles out",
    ),
    "accounts.sign_out": Request("caller", "/sign-out"),
    "accounts.confirm": Request(
        "manager", "/confirm", {"proof": PASSWORD, "next": "/"}, later=11, commits=2
    ),
    "accounts.passkey_question": Request(
        None, "/sign-in/passkey/question", commits=2, more=QUESTIONS, why=ASKED_ANEW
    ),
    "accounts.welcome": Request(None, _link, {"password": "a longer sentence than that"}),
    "accounts.second_step": Request(
        "halfway",
        "/sign-in/code",
        _recovery_code,
        after=("security.propose_authenticator", "security.confirm_authenticator"),
    ),
    "security.change_password": Request(
        "caller", "/my-sign-in/password", {"password": "a longer sentence than that"}
    ),
    "security.propose_authenticator": Request("manager", "/my-sign-in/authenticator"),
    "security.confirm_authenticator": Request(
        "manager",
        "/my-sign-in/authenticator/confirm",
        _app_code,
        after=("security.propose_authenticator",),
    ),
    "security.end_authenticator": Request(
        "manager",
        "/my-sign-in/authenticator/end",
        after=("security.propose_authenticator", "security.confirm_authenticator"),
    ),
    "security.new_recovery_codes": Request("manager", "/my-sign-in/recovery-codes"),
    "security.passkey_question": Request(
        "manager", "/my-sign-in/passkeys/question", more=QUESTIONS, why=ASKED_ANEW
    ),
    "security.keep_passkey": Request("manager", "/my-sign-in/passkeys", _new_passkey, is_json=True),
    "security.confirm_question": Request(
        "manager", "/my-sign-in/confirm/passkey/question", more=QUESTIONS, why=ASKED_ANEW
    ),
    "security.confirm_by_passkey": Request(
        "manager",
        "/my-sign-in/confirm/passkey",
        _signed("manager", "/my-sign-in/confirm/passkey/question"),
        after=("security.keep_passkey",),
        is_json=True,
    ),
    "accounts.passkey": Request(
        None,
        "/sign-in/passkey",
        _signed(None, "/sign-in/passkey/question"),
        after=("security.keep_passkey",),
        is_json=True,
    ),
    "security.remove_passkey": Request(
        "manager", "/my-sign-in/passkeys/{newest_passkey}/remove", after=("security.keep_passkey",)
    ),
    "security.end_session": Request(
        "caller", "/my-sign-in/sessions/{newest_sign_in}/end", after=("accounts.sign_in",)
    ),
    "security.end_other_sessions": Request(
        "caller", "/my-sign-in/sessions/end-others", after=("accounts.sign_in",)
    ),
    "typed.keep": Request(
        "caller",
        "/typed/",
        {"who": "{caller}", "place": "/goals/1", "fields": '[["text", "Walk to the park"]]'},
    ),
    "staff.new": Request(
        "administrator",
        "/staff/new",
        {
            "name": "Ada Newcomer",
            "email": "ada@example.org",
            "role": "nurse HERE",
            "languages": "en es",
        },
    ),
    "staff.give_role": Request("administrator", "/staff/{spare}/roles", {"role": "nurse HERE"}),
    "staff.end_role": Request("administrator", "/staff/{spare}/roles/{spare_role}/end"),
    "staff.link": Request(
        "administrator",
        "/staff/{spare}/link",
        more=frozenset({"access_link"}),
        why="nobody saw the first link, and making another ends it",
    ),
    "staff.end_sessions": Request("administrator", "/staff/{caller}/sessions/end"),
    "staff.end_factors": Request(
        "administrator",
        "/staff/{manager}/factors/end",
        after=("security.propose_authenticator", "security.confirm_authenticator"),
    ),
    "staff.close": Request("administrator", "/staff/{spare}/close"),
    "staff.open_again": Request("administrator", "/staff/{spare}/open", after=("staff.close",)),
    "callers.edit": Request(
        "manager",
        "/callers/{caller}/edit",
        {
            "languages": ["en", "es"],
            "gender": "",
            "panel_cap": "9",
            "weekly_hours": "12",
            "trained_on": "2026-01-05",
            "shift_0": "9:00-12:00",
        },
    ),
    "callers.new_absence": Request(
        "manager",
        "/callers/{caller}/absences",
        proposed("manager", "/callers/{caller}/absences", **DAYS),
    ),
    "callers.absence": Request(
        "manager",
        "/callers/absences/{newest_caller_absence}",
        proposed(
            "manager",
            "/callers/absences/{newest_caller_absence}",
            **DAYS | {"last_on": "2026-12-02"},
        ),
        after=("callers.new_absence",),
    ),
    "callers.back": Request(
        "manager", "/callers/absences/{newest_caller_absence}/end", after=("callers.new_absence",)
    ),
    "callers.leave": Request(
        "manager",
        "/callers/{colleague}/leave",
        shown("manager", "/callers/{colleague}/leave", note="Likes mornings."),
    ),
    "exports.ask": Request(
        "manager",
        "/exports/",
        {"content": "patients", "format": "csv", "query": "", "form_key": "one"},
    ),
    "exports.own_data": Request("manager", "/exports/patients/{patient}", {"form_key": "two"}),
    "oversight.emergency_page": Request(
        "administrator",
        "/audit/emergency",
        {"clinic": "HERE", "record_number": "{record_number}", "reason": "They rang the desk."},
    ),
    "phoning.mine": Request("caller", "/phone/me", {"phone": "(512) 555-0191"}),
    "pulse.answer": Request("caller", "/pulse/", {"month": "2026-11-01", "answer": "4"}),
    "pulse.answer_working_life": Request(
        "caller",
        "/pulse/working-life",
        {"quarter": "2026-10-01", "item_1": "4", "item_30": "2"},
        after=("instruments.permission, for callers",),
    ),
    "pulse.put_away": Request("caller", "/pulse/not-this-month"),
    "pulse.ask_for_support": Request("caller", "/pulse/support"),
    "pulse.spoken": Request(
        "manager",
        "/pulse/support/{newest_support_request}/spoken",
        after=("pulse.ask_for_support",),
    ),
    "calls.shortcuts": Request("caller", "/shortcuts", {"on": ""}),
    "calls.own_only": Request("caller", "/queue/own-only", {"on": "1"}),
}
