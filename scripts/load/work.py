"""What a caller and the carrier do, request by request, over whatever sends requests.

A caller looks at the queue, opens a call, types a note that is saved as a draft, records the
call, and goes on. The carrier hands over what patients write, signed as Twilio signs.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from random import Random
from typing import Protocol

PUBLIC_URL = "https://load.example"
ACCOUNT, TOKEN = "AC" + "0" * 32, "of a load test"
CLINICS_NUMBER = "+12025550100"
NOTES = (
    "Walked to the church and back, twice. Her knee is better.",
    "Tired. Her sister visits on Sunday, and she looks forward to it.",
    "Talked about the garden. Sugar was 132 this morning, she said.",
)
# What the choices of the call screen stand at when nobody touches them.
UNITS = {"glucose_unit": "mg/dL", "hba1c_unit": "%", "weight_unit": "kg"}
OK = 200
NOBODY_ANSWERS = 0.3  # of all calls, about as in the trial
SAYINGS = ("thanks", "C", "my dog is ill", "2", "HELP")
_REF = re.compile(r'href="/calls/([0-9a-f]+)"')
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_PART = re.compile(r'(name|value)="([^"]*)"')


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str


class Browser(Protocol):
    """Sends a request; ``name`` is what its figures are kept under."""

    def get(self, path: str, name: str) -> Answer:
        """Load a page, redirects followed or not."""
        ...

    def post(
        self, path: str, data: Mapping[str, str], name: str, headers: Mapping[str, str]
    ) -> Answer:
        """Send a form."""
        ...


class Unexpected(RuntimeError):
    """A page is not what a person could go on with."""


def sign_in(browser: Browser, email: str, password: str) -> None:
    """Sign in by the form."""
    page = _page(browser.get("/sign-in", "sign-in page"), "sign-in page")
    data = hidden(page) | {"email": email, "password": password}
    done = browser.post("/sign-in", data, "sign in", {})
    if "/sign-in" in done.text and 'name="password"' in done.text:
        raise Unexpected(f"sign-in of {email} was refused")


def calls(browser: Browser, rng: Random, pause: Callable[[], None]) -> Iterator[str]:
    """Make one call after the other, as long as the queue has any; yield whom was called.

    ``pause`` waits as long as a person takes for the next thing.
    """
    seen: set[str] = set()
    while True:
        queue = _page(browser.get("/queue/", "queue"), "queue")
        waiting = [ref for ref in dict.fromkeys(_REF.findall(queue)) if ref not in seen]
        if not waiting:
            return
        ref = waiting[0]
        seen.add(ref)
        pause()
        yield _one(browser, ref, rng, pause)


def _one(browser: Browser, ref: str, rng: Random, pause: Callable[[], None]) -> str:
    path = f"/calls/{ref}"
    form = hidden(_page(browser.get(path, "call screen"), "call screen"))
    note = rng.choice(NOTES)
    words = note.split()
    draft = {each: form[each] for each in ("csrf_token", "planned_call_id") if each in form}
    version = 0  # as the page does: of the last draft that is known to be kept
    for end in (len(words) // 2, len(words)):
        pause()
        typed = {"note": " ".join(words[:end]), "version": str(version), "tab": "load"}
        answer = browser.post(f"{path}/draft", draft | typed, "draft", {})
        version = json.loads(answer.text)["version"] if answer.status == OK else version
    pause()
    said = {"reached": "yes", "minutes": str(rng.randint(3, 20)), "note": note}
    if rng.random() < NOBODY_ANSWERS:
        said = {"reached": "no", "outcome": "no_answer"}
    browser.post(path, form | UNITS | said, "record", {})
    return ref


def text_in(browser: Browser, number: str, sid: str, rng: Random) -> Answer:
    """Hand over what a patient wrote from ``number``."""
    told = {
        "AccountSid": ACCOUNT,
        "MessageSid": sid,
        "From": number,
        "To": CLINICS_NUMBER,
        "Body": rng.choice(SAYINGS),
        "NumMedia": "0",
    }
    path = "/webhooks/texts/incoming"
    headers = {"X-Twilio-Signature": signature(PUBLIC_URL + path, told)}
    return browser.post(path, told, "text in", headers)


def report(browser: Browser, reference: int, sid: str, status: str) -> Answer:
    """Tell what became of a text of ours."""
    told = {"AccountSid": ACCOUNT, "MessageSid": sid, "MessageStatus": status}
    path = f"/webhooks/sms-status/{reference}"
    headers = {"X-Twilio-Signature": signature(PUBLIC_URL + path, told)}
    return browser.post(path, told, "report", headers)


def signature(url: str, told: Mapping[str, str]) -> str:
    """Return what Twilio signs a request with: HMAC-SHA1 over address and sorted parameters."""
    signed = url + "".join(name + told[name] for name in sorted(told))
    digest = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of a page, of its last form where several have the same."""
    found = {}
    for field in _HIDDEN.findall(page):
        parts = dict(_PART.findall(field))
        if "name" in parts:
            found[parts["name"]] = unescape(parts.get("value", ""))
    return found


def _page(answer: Answer, name: str) -> str:
    if answer.status != OK:
        raise Unexpected(f"{name}: {answer.status}")
    return answer.text
