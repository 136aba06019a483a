"""Whether a programme says by text that it is time to measure, and how many days before."""

from dataclasses import replace

import pytest
from flask import Flask

from outreach.programmes.rules import PUBLISHED_PROTOCOL, Protocol
from outreach.programmes.rules.checking import problems
from outreach.protocols.forms import ProtocolForm
from outreach.protocols.labels import changes

TOLD = replace(PUBLISHED_PROTOCOL, measure_lead_days=7)


@pytest.mark.parametrize("protocol", [PUBLISHED_PROTOCOL, TOLD])
def test_the_editor_shows_it_and_keeps_it(app: Flask, protocol: Protocol) -> None:
    with app.test_request_context():
        form = ProtocolForm.of(protocol, 1)

        assert form.measure_lead_days.data == protocol.measure_lead_days
        assert form.to_protocol() == protocol
        assert Protocol.from_data(protocol.as_data()) == protocol


def test_what_an_older_release_stored_means_no_text() -> None:
    data = TOLD.as_data()
    del data["measure_lead_days"]

    assert Protocol.from_data(data).measure_lead_days is None


@pytest.mark.parametrize(("days", "is_sane"), [(None, True), (0, True), (90, True), (91, False)])
def test_the_days_are_bounded(app: Flask, days: int | None, *, is_sane: bool) -> None:
    found = problems(replace(PUBLISHED_PROTOCOL, measure_lead_days=days))

    assert (not found) is is_sane
    if found:
        with app.test_request_context():
            form = ProtocolForm.of(PUBLISHED_PROTOCOL, 1)
            form.mark(found)
            assert form.measure_lead_days.errors


def test_a_change_of_it_is_told_before_it_is_published(app: Flask) -> None:
    with app.test_request_context():
        (change,) = changes(PUBLISHED_PROTOCOL, TOLD)

    assert (change.before, change.after) == ("no text", "7")
