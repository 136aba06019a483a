"""Single calls behind a figure are the figure: in all, and in every group."""

import random
from datetime import date

import pytest
from flask.testing import FlaskClient

from outreach.accounts.rules import Scope
from outreach.calls.models import Attempt
from outreach.orm import Sessions
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.reports import breakdown, single_calls
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import Measure, parts_of
from tests.builders import make_clinic
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history
from tests.integration.reports.test_pages import manager_of

PERIODS = (
    Period(date(2026, 9, 7), date(2026, 11, 22)),
    Period(date(2026, 8, 1), date(2026, 12, 5)),
    Period(date(2026, 9, 9), date(2026, 9, 9)),
)
EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())


@pytest.mark.parametrize("seed", range(3))
def test_calls_behind_every_figure_of_every_group(sessions: Sessions, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a history, no secret
    with sessions.begin() as session:
        clinic = make_history(session, chance)
        asked = Here.of(EVERYTHING, clinic, now=NOW).about(chance.choice(PERIODS))
        for dimension in (Dimension.CALLER, Dimension.PHASE, Dimension.WEEK, Dimension.SEX):
            found = breakdown.by(session, asked, dimension)
            groups = [(line.tally, (dimension, line.key)) for line in found.lines]
            for tally, group in [(found.total, None), *groups]:
                for measure in single_calls.COUNTED:
                    page = single_calls.page(session, asked, measure, group)
                    parts = (page.counted, page.total)
                    if measure is Measure.DIALS_PER_REACH:
                        parts = (page.total, page.counted)
                    assert parts == parts_of(measure, tally), (measure, group)
                    assert len(page.calls) == min(page.total, single_calls.PAGE)
        total, everything = single_calls.everything(
            session, EVERYTHING, asked, Measure.COMPLETION, None
        )
        assert len(list(everything)) == total


def test_pages_follow_each_other_by_key(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_calls, "PAGE", 3)
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(1))  # noqa: S311
        asked = Here.of(EVERYTHING, clinic, now=NOW).about(PERIODS[0])
        for measure in (Measure.COMPLETION, Measure.REACH_PER_DIAL):
            after, ids = None, []
            while True:
                page = single_calls.page(session, asked, measure, None, after=after)
                ids += [call.id for call in page.calls]
                after = page.mark
                if after is None:
                    break
            assert len(ids) == len(set(ids)) == page.total > 3


@pytest.mark.parametrize("measure", [Measure.COMPLETION, Measure.REACH_PER_DIAL])
def test_the_next_page_is_there_though_its_mark_left_the_list(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, measure: Measure
) -> None:
    monkeypatch.setattr(single_calls, "PAGE", 3)
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(1))  # noqa: S311
        asked = Here.of(EVERYTHING, clinic, now=NOW).about(PERIODS[0])
        page = single_calls.page(session, asked, measure, None)
        expected = single_calls.page(session, asked, measure, None, after=page.mark).calls
        if measure is Measure.COMPLETION:
            session.get_one(PlannedCall, page.calls[-1].id).status = CallStatus.CANCELLED
        else:
            session.get_one(Attempt, page.calls[-1].id).superseded_at = NOW
        session.flush()

        assert single_calls.page(session, asked, measure, None, after=page.mark).calls == expected


NONSENSE = ["99999999999999999999", "", "_", "2026-11-20", "2026-11-20_99999999999", "x_1", "7"]


@pytest.mark.parametrize("measure", ["completion", "reach_per_dial"])
def test_a_mark_that_is_nonsense_is_not_there(
    sessions: Sessions, client: FlaskClient, measure: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = manager_of(session, clinic)
    sign_in(client, manager)
    for after in [*NONSENSE, "0001-01-01T00:00:00+23:00_1", "2026-11-20T10:00_1;"]:
        asked = {"measure": measure, "after": after}
        assert client.get("/reports/adherence/calls", query_string=asked).status_code == 404, after
