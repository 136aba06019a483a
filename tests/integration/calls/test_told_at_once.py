"""What is urgent is told at the first press of Save, whatever else keeps the call from it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from outreach.calls.models import Attempt, Draft
from outreach.concerns import raising
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from tests.builders import make_reading
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.calls.day import Day
from tests.integration.calls.saving import Saving

LOW, HIGH = ConcernKind.GLUCOSE_LOW, ConcernKind.GLUCOSE_HIGH
PRESSURE, SAFETY = ConcernKind.PRESSURE_HIGH, ConcernKind.SAFETY
REFUSED = {"minutes": "many"}  # of the form's own reasons, one that no value has to do with


class Call(Saving):
    def kinds(self) -> list[ConcernKind]:
        return [each.kind for each in self.concerns()]


@pytest.fixture
def call(sessions: Sessions, client: FlaskClient, day: Day) -> Call:
    return Call(sessions, client, day)


@pytest.mark.parametrize(
    ("answers", "kind", "words"),
    [
        # <54, and LO
        ({"glucose": "53"}, LOW, "53 mg/dL (2.9 mmol/L)"),
        ({"glucose": "LO"}, LOW, "LO"),
        ({"glucose": "2.9", "glucose_unit": "mmol/L"}, LOW, "2.9 mmol/L (52 mg/dL)"),
        # >= 400, and HI; 450 is also what the page asks to be read back
        ({"glucose": "400"}, HIGH, "400 mg/dL (22.2 mmol/L)"),
        ({"glucose": "450"}, HIGH, "450 mg/dL (25.0 mmol/L)"),
        ({"glucose": "HI"}, HIGH, "HI"),
        ({"glucose": "400", "glucose_is_fasting": "y"}, HIGH, "400 mg/dL (22.2 mmol/L)"),
        # >= 300 with symptoms
        ({"glucose": "300", "signs": "ketones"}, HIGH, "300 mg/dL (16.7 mmol/L), ketones"),
        ({"glucose": "300", "signs": "illness"}, HIGH, "300 mg/dL (16.7 mmol/L), ill"),
        # level 3: altered state or help needed, whatever the value
        ({"glucose": "120", "signs": "danger"}, SAFETY, "120 mg/dL (6.7 mmol/L), danger signs"),
        ({"glucose": "120", "signs": "help_needed"}, LOW, "120 mg/dL (6.7 mmol/L), needed help"),
        ({"glucose": "260", "signs": "danger"}, HIGH, "260 mg/dL (14.4 mmol/L), danger signs"),
        # a high pressure with symptoms, from either of the two
        (
            {"systolic": "180", "diastolic": "90", "signs": "danger"},
            PRESSURE,
            "180 mmHg, danger signs",
        ),
        (
            {"systolic": "170", "diastolic": "120", "signs": "danger"},
            PRESSURE,
            "120 mmHg, danger signs",
        ),
        # danger signs alone: the page asks for a value, a nurse hears of it meanwhile
        ({"signs": "danger"}, SAFETY, "Danger signs."),
        ({"signs": "help_needed"}, LOW, "Needed help with a low blood sugar."),
        ({"signs": "danger", "glucose": "5000"}, SAFETY, "Danger signs."),
        ({"signs": "danger", "glucose": "twelve"}, SAFETY, "Danger signs."),
        # danger is now, however old the reading
        (
            {"glucose": "60", "glucose_on": "2026-11-20", "signs": "danger"},
            LOW,
            "60 mg/dL (3.3 mmol/L), danger signs",
        ),
        # a time that can't be is no time, and keeps nobody from being told
        ({"glucose": "450", "glucose_at": "23:50"}, HIGH, "450 mg/dL (25.0 mmol/L)"),
        ({"glucose": "450", "glucose_on": "9999-12-31"}, HIGH, "450 mg/dL (25.0 mmol/L)"),
        ({"glucose": "450", "glucose_on": "0001-01-01"}, HIGH, "450 mg/dL (25.0 mmol/L)"),
    ],
)
def test_a_nurse_is_told_at_the_first_press_of_save(
    call: Call, answers: dict[str, str], kind: ConcernKind, words: str
) -> None:
    status, page = call.save(**answers, **REFUSED)

    assert (status, call.readings()) == (422, 0)
    told = next(each for each in call.concerns() if each.kind is kind)
    assert (told.urgency, told.reading_id) == (Urgency.NOW, None)
    assert any(words in said for _kind, said in call.steps())
    assert call.alerts() == len(call.concerns())
    assert "data-polled" in page  # the caller sees who is told


def test_the_second_300_within_a_day_is_told_at_the_first_press(call: Call) -> None:
    with call.sessions.begin() as session:
        earlier = NOW - timedelta(hours=5)
        make_reading(session, call.day.rosa, MeasureKind.GLUCOSE, "310", taken_at=earlier)

    assert call.save(glucose="305", **REFUSED)[0] == 422

    assert call.kinds() == [HIGH]


@pytest.mark.parametrize(
    "answers",
    [
        {"glucose": "25"},  # 25 mmol/L is 450 mg/dL, and 25 mg/dL a level 2 low
        {"glucose": "2.5"},  # in mg/dL nobody lives; in mmol/L it is a level 2 low
    ],
)
def test_what_is_urgent_in_whichever_unit_was_meant_is_told_while_the_page_asks(
    call: Call, answers: dict[str, str]
) -> None:
    assert call.save(**answers)[0] == 422

    assert len(call.concerns()) == 1


@pytest.mark.parametrize(
    "answers",
    [
        {"glucose": "54"},
        {"glucose": "399"},
        {"glucose": "300"},
        {"glucose": "250", "signs": "ketones"},
        {"glucose": "450", "glucose_on": "2026-11-20"},
        {"glucose": "1200"},
        {"glucose": "12"},
        {"systolic": "200", "diastolic": "110"},
        {"signs": "help_needed", "glucose_on": "2026-11-20"},
        {"signs": "illness"},
        {"glucose": "450", "reached": "no", "outcome": "no_answer"},
        {"glucose": "450", "glucose_unit": "furlong"},
    ],
)
def test_what_is_not_urgent_by_the_ladder_waits_for_the_saved_call(
    call: Call, answers: dict[str, str]
) -> None:
    assert call.save(**{**REFUSED, **answers})[0] == 422

    assert call.concerns() == []


def test_the_saved_reading_joins_what_was_told_and_nobody_is_alerted_twice(call: Call) -> None:
    for _time in range(2):
        call.save(glucose="450")
    saved, _page = call.save(glucose="450", is_confirmed="y", note="Very thirsty.")

    assert saved == 302
    (concern,) = call.concerns()
    assert concern.reading_id is not None
    assert call.alerts() == 1
    value = "450 mg/dL (25.0 mmol/L)"
    assert call.steps() == [
        (StepKind.RAISED, value),
        (StepKind.ADDED, f"{value}\nVery thirsty."),
    ]


def test_another_value_on_the_same_page_is_added_once(call: Call) -> None:
    call.save(glucose="450")
    for _time in range(2):
        call.save(glucose="520")

    assert [said for _kind, said in call.steps()] == [
        "450 mg/dL (25.0 mmol/L)",
        "520 mg/dL (28.9 mmol/L)",
    ]
    assert call.alerts() == 1


def test_a_slip_is_left_to_the_nurse_and_what_came_instead_is_told_by_itself(call: Call) -> None:
    call.save(glucose="450")
    assert call.save(glucose="45", low_said="treated")[0] == 302

    high, low = call.concerns()
    assert (high.kind, high.reading_id, high.status) == (HIGH, None, ConcernStatus.OPEN)
    assert (low.kind, low.urgency) == (LOW, Urgency.NOW)
    assert (StepKind.ADDED, "Saved without a high blood sugar.") in call.steps()


def test_one_that_a_nurse_closed_meanwhile_is_told_anew_when_it_is_saved(call: Call) -> None:
    call.save(glucose="450")
    with call.sessions.begin() as session:
        concern = session.scalars(select(Concern)).one()
        raising.close(session, concern, "Rang them.", by_staff_id=call.day.nurse.id, now=NOW)

    call.save(glucose="450")
    assert len(call.concerns()) == 1  # the same page: the nurse has seen to it
    assert call.save(glucose="450", is_confirmed="y")[0] == 302
    assert [each.status for each in call.concerns()] == [ConcernStatus.CLOSED, ConcernStatus.OPEN]


def test_a_worry_that_the_page_refuses_is_told_with_its_words_and_once(call: Call) -> None:
    worry = {"outcome": "reached_safety", "note": "Slurred speech."}
    for _time in range(2):
        assert call.save(**worry, glucose="5000")[0] == 422

    assert [(each.kind, each.urgency) for each in call.concerns()] == [(SAFETY, Urgency.NOW)]
    assert call.save(**worry)[0] == 302
    assert call.steps() == [(StepKind.RAISED, "Slurred speech.")]
    assert call.alerts() == 1


def test_a_worry_without_words_is_told_while_the_page_asks_for_them(call: Call) -> None:
    assert call.save(outcome="reached_safety", note=" ")[0] == 422
    assert [(each.kind, each.urgency) for each in call.concerns()] == [(SAFETY, Urgency.NOW)]

    assert call.save(outcome="reached_safety", note="Slurred speech.")[0] == 302
    assert call.steps() == [(StepKind.RAISED, ""), (StepKind.ADDED, "Slurred speech.")]
    assert call.alerts() == 1


def _given_to_ben(call: Call) -> None:
    _given(call, call.day.ben.id)


def _given(call: Call, caller_id: int) -> None:
    with call.sessions.begin() as session:
        session.execute(update(PanelMembership).values(caller_id=caller_id))


def _no_call_left(call: Call) -> None:
    with call.sessions.begin() as session:
        session.execute(update(PlannedCall).values(status=CallStatus.CANCELLED))


def _taken_over(call: Call) -> None:
    """Let Ben have the patient, whom Ana had begun to write about, and record the call."""
    call.client.post(f"/calls/{call.day.rosa.ref}/draft", data=call.day.typed("Hello", "0"))
    with call.sessions() as session:
        assert session.scalars(select(Draft)).one().staff_id == call.day.ana.id
    call.client.post("/sign-out")
    sign_in(call.client, call.day.ben)
    _given_to_ben(call)
    form = call.day.form(reached="no", outcome="no_answer", form_key="ben")
    call.client.post(f"/calls/{call.day.rosa.ref}", data=form)
    call.client.post("/sign-out")
    sign_in(call.client, call.day.ana)


@pytest.mark.parametrize(("happen", "status"), [(_no_call_left, 409), (_taken_over, 409)])
def test_a_nurse_is_told_where_the_call_itself_is_gone(
    call: Call, happen: Callable[[Call], None], status: int
) -> None:
    happen(call)

    assert call.save(glucose="450", is_confirmed="y")[0] == status

    assert call.kinds() == [HIGH]


def test_a_nurse_is_told_where_the_plan_moved_on(call: Call) -> None:
    assert call.save(glucose="450", is_confirmed="y", planned_call_id="999")[0] == 409
    assert call.kinds() == [HIGH]

    assert call.save(glucose="450", is_confirmed="y")[0] == 302
    assert call.alerts() == 1


def test_a_page_that_was_saved_and_comes_again_with_other_words_tells_nobody_twice(
    call: Call,
) -> None:
    first = {"glucose": "450", "signs": "danger", "is_confirmed": "y"}
    assert call.save(**first)[0] == 302
    assert call.save(**first, note="And thirsty.")[0] == 409

    assert call.alerts() == 1
    with call.sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1


def test_who_never_had_the_patient_open_tells_nobody(call: Call) -> None:
    _given_to_ben(call)

    assert call.save(glucose="450")[0] == 404

    assert call.concerns() == []


ALREADY, WITH_SAVING = "It is on the nurses' list already.", "Saving puts this on the nurses"


def line_of(page: str, notice: str) -> str:
    return page.split(notice)[1].split("</div>", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("answers", "notice"),
    [
        ({"glucose": "450"}, 'data-glucose="high"'),
        ({"glucose": "48"}, 'data-glucose="low"'),
        ({"glucose": "450", "signs": "danger"}, "data-signs-danger"),
        ({"signs": "danger"}, "data-signs-danger"),
    ],
)
def test_the_page_says_what_is_on_the_nurses_list_already(
    call: Call, answers: dict[str, str], notice: str
) -> None:
    assert WITH_SAVING in line_of(call.client.get(call.address).text, notice)

    _status, page = call.save(**answers, **REFUSED)

    assert ALREADY in line_of(page, notice)
    assert WITH_SAVING in line_of(page, "data-beyond")
    again = call.client.get(call.address).text
    if "glucose" in notice:
        assert ALREADY in line_of(again, notice)


def test_what_nobody_was_told_of_waits_for_the_save(call: Call) -> None:
    _status, page = call.save(glucose="310", **REFUSED)

    assert ALREADY not in page
