"""Trial mode: nothing leaves the house, whatever else is set."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from requests import Session as HttpSession

from config import ROOT, Config, TwilioAccount
from outreach.app import create_app
from outreach.deps import Deps
from outreach.telephony.carrier import carrier_of
from outreach.telephony.console_gateway import ConsoleGateway
from outreach.telephony.gateway import OutboundCall, OutboundSms, Refused
from tests.fakes import FakeClock

ACCOUNT = TwilioAccount(account_sid="AC1", auth_token="t", sender="+15125550100")
SMS = OutboundSms(1, "+15125550147", "Hello")


def trial(tmp_path: Path, **deviations: Any) -> Config:
    config = Config(
        database_url=f"sqlite:///{tmp_path / 'trial.sqlite3'}",
        instance_path=tmp_path,
        secret_key="s" * 32,
        public_url="https://outreach.example",
        twilio=ACCOUNT,
        is_trial=True,
    )
    return replace(config, **deviations)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every HTTP request that anybody tries to send."""
    found: list[object] = []

    def refuse(_self: HttpSession, request: object, **_options: object) -> None:
        found.append(request)
        raise ConnectionError

    monkeypatch.setattr(HttpSession, "send", refuse)
    return found


def test_no_request_reaches_a_carrier_that_is_set_up(tmp_path: Path, asked: list[object]) -> None:
    carrier = carrier_of(trial(tmp_path))

    assert carrier.send_sms(SMS).provider_id == "console-1"
    with pytest.raises(Refused):
        carrier.place_call(OutboundCall(1, "+15125550147", "+15125550100"))
    carrier.hang_up("CA1")
    assert asked == []


def test_without_the_setting_the_carrier_is_asked(tmp_path: Path, asked: list[object]) -> None:
    carrier = carrier_of(trial(tmp_path, is_trial=False))

    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever comes of no connection
        carrier.send_sms(SMS)
    assert len(asked) == 1


def test_who_takes_the_file_of_a_trial_reads_no_number_and_no_word(
    tmp_path: Path, clock: FakeClock
) -> None:
    path = tmp_path / "console-sms.jsonl"
    ConsoleGateway(path, clock).send_sms(SMS)
    before = {"reference": 2, "sent_at": clock().isoformat(), "to": SMS.to, "body": "As before"}
    kept = path.read_text()
    path.write_text(f"{kept}{json.dumps(before)}\n")  # of a release that wrote them as they are

    again = ConsoleGateway(path, clock)

    assert SMS.to not in kept
    assert SMS.body not in kept
    listed = again.list_sms(since=clock())
    assert [(each.to, each.body) for each in listed] == [(SMS.to, SMS.body), (SMS.to, "As before")]
    assert again.find_sms(SMS, since=clock(), not_these=()) is not None


def test_numbers_outside_the_list_are_refused(tmp_path: Path) -> None:
    carrier = carrier_of(trial(tmp_path, trial_numbers=("+15125550199",)))

    with pytest.raises(Refused, match="not on the list"):
        carrier.send_sms(SMS)
    assert carrier.send_sms(replace(SMS, to="+15125550199"))


@pytest.mark.parametrize("is_trial", [True, False])
def test_every_page_says_so(tmp_path: Path, *, is_trial: bool) -> None:
    config = trial(tmp_path, is_trial=is_trial, public_url=None)
    app: Flask = create_app(Deps(config, FakeClock(), carrier_of(config)))

    page = app.test_client().get("/nowhere").text

    assert ("Trial: no text" in page) == is_trial


def test_one_setting_makes_it_a_trial(tmp_path: Path) -> None:
    environ = {"INSTANCE_PATH": str(tmp_path), "TRIAL": "yes", "TRIAL_NUMBERS": "+1, +2"}
    config = Config.from_environment(environ)
    assert (config.is_trial, config.trial_numbers) == (True, ("+1", "+2"))


def test_no_number_on_a_page_rings_in_a_trial(tmp_path: Path) -> None:
    shown = {}
    for is_trial in (True, False):
        config = trial(tmp_path, is_trial=is_trial, public_url=None)
        app = create_app(Deps(config, FakeClock(), carrier_of(config)))
        words = (
            "{{ number_to_ring('+15125550147', '<b>Ana</b>', 'btn big') }}"
            "{{ number_to_ring('911', '911') }}"
        )
        shown[is_trial] = app.jinja_env.from_string(words).render()

    assert shown[False] == (
        '<a class="btn big" href="tel:+15125550147">&lt;b&gt;Ana&lt;/b&gt;</a>'
        '<a href="tel:911">911</a>'
    )
    assert shown[True] == '<span class="big">&lt;b&gt;Ana&lt;/b&gt;</span><span>911</span>'


def test_every_number_to_ring_is_made_in_one_place() -> None:
    written = {path.name: path.read_text() for path in (ROOT / "templates").rglob("*.html")}
    scripts = {path.name: path.read_text() for path in (ROOT / "outreach/static/js").glob("*.js")}

    assert sum(text.count("number_to_ring(") for text in written.values()) > 5
    assert [name for name, text in {**written, **scripts}.items() if "tel:" in text] == []


def test_nothing_of_a_trial_is_traced_elsewhere(tmp_path: Path) -> None:
    told = {"INSTANCE_PATH": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}

    assert Config.from_environment(told).traces_url is not None
    assert Config.from_environment(told | {"TRIAL": "yes"}).traces_url is None
