"""What was measured, told on a call: HI and LO, what else was said, what is asked once more."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.rules import Bound, MeasureKind, Sign
from outreach.measures.rules import MeasureKind as K
from outreach.orm import Sessions
from tests.builders import make_reading
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.calls.conftest import Day


class Call:
    def __init__(self, sessions: Sessions, client: FlaskClient, day: Day) -> None:
        self.sessions, self.client, self.day = sessions, client, day
        sign_in(client, day.ana)

    def save(self, **answers: object) -> int:
        data: dict[str, object] = {**self.day.form(reached="yes", minutes="5"), **answers}
        return self.client.post(f"/calls/{self.day.rosa.ref}", data=data).status_code

    def concerns(self) -> list[tuple[ConcernKind, Urgency]]:
        with self.sessions() as session:
            rows = session.execute(select(Concern.kind, Concern.urgency).order_by(Concern.id))
            return [(kind, urgency) for kind, urgency in rows]

    def readings(self) -> list[Reading]:
        with self.sessions() as session:
            return list(session.scalars(select(Reading).order_by(Reading.id)))


@pytest.fixture
def call(sessions: Sessions, client: FlaskClient, day: Day) -> Call:
    return Call(sessions, client, day)


def test_the_last_of_each_measure_that_the_registry_shows_on_a_call_stands_there(
    call: Call, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        for kind, value in ((K.GLUCOSE_FASTING, "104"), (K.PHQ9_TOTAL, "7"), (K.HEIGHT, "171")):
            make_reading(session, call.day.rosa, kind, value, taken_at=NOW - timedelta(days=2))

    page = call.client.get(f"/calls/{call.day.rosa.ref}").text
    last = page.split("Last readings")[1].split("</section>")[0]

    assert "104 mg/dL (5.8 mmol/L)" in last
    assert "PHQ-9" in last
    assert "171" not in last


@pytest.mark.parametrize(
    ("typed", "bound", "kind"),
    [
        ("HI", Bound.HIGH, ConcernKind.GLUCOSE_HIGH),
        (" lo ", Bound.LOW, ConcernKind.GLUCOSE_LOW),
    ],
)
def test_a_meter_that_shows_no_number_is_kept_and_tells_a_nurse_now(
    call: Call, typed: str, bound: Bound, kind: ConcernKind
) -> None:
    assert call.save(glucose=typed, glucose_unit="mmol/L", low_said=["treated"]) == 302

    (reading,) = call.readings()
    assert (reading.bound, reading.entered_value) == (bound, bound.value)
    assert call.concerns() == [(kind, Urgency.NOW)]
    page = call.client.get(f"/patients/{call.day.rosa.ref}").text
    assert "the meter can show" in page
    assert "600 mg/dL" not in page


def test_what_was_said_with_it_is_kept_and_judged(call: Call) -> None:
    assert call.save(glucose="250", signs=["illness"]) == 302

    assert call.readings()[0].said == {Sign.ILLNESS}
    assert call.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.SAME_DAY)]
    with call.sessions() as session:
        assert session.scalar(select(ConcernStep.note)) == "250 mg/dL (13.9 mmol/L), ill"


def test_the_second_300_within_a_day_is_now(call: Call) -> None:
    with call.sessions.begin() as session:
        earlier = NOW - timedelta(hours=20)
        make_reading(session, call.day.rosa, MeasureKind.GLUCOSE, "305", taken_at=earlier)

    assert call.save(glucose="310") == 302

    assert call.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.NOW)]


def test_a_nurse_reads_how_many_lows_there_were(call: Call) -> None:
    with call.sessions.begin() as session:
        earlier = NOW - timedelta(days=9)
        make_reading(session, call.day.rosa, MeasureKind.GLUCOSE, "50", taken_at=earlier)

    assert call.save(glucose="51", signs=["help_needed"], low_said=["help"]) == 302

    with call.sessions() as session:
        assert session.scalar(select(ConcernStep.note)) == (
            "51 mg/dL (2.8 mmol/L), needed help. Below 54 mg/dL for time 2 in two weeks."
        )


def test_one_pressure_raises_one_concern(call: Call) -> None:
    assert call.save(systolic="190", diastolic="120") == 302

    assert call.concerns() == [(ConcernKind.PRESSURE_HIGH, Urgency.SAME_DAY)]


def test_danger_with_a_pressure_is_now(call: Call) -> None:
    assert call.save(systolic="190", diastolic="90", signs=["danger"]) == 302

    assert (ConcernKind.PRESSURE_HIGH, Urgency.NOW) in call.concerns()


def test_danger_signs_without_a_value_are_not_passed_over(call: Call) -> None:
    assert call.save(signs=["danger"]) == 422

    assert call.readings() == []


@pytest.mark.parametrize(
    "answers", [{"glucose": "25", "low_said": "treated"}, {"weight": "89", "weight_unit": "kg"}]
)
def test_what_may_be_right_is_asked_once_more(call: Call, answers: dict[str, str]) -> None:
    with call.sessions.begin() as session:
        a_month_ago = NOW - timedelta(days=30)
        make_reading(session, call.day.rosa, MeasureKind.WEIGHT, "100", taken_at=a_month_ago)

    assert call.save(**answers) == 422
    assert call.save(**answers, is_confirmed="y") == 302

    assert len(call.readings()) == 2


def test_a_pulse_is_a_measure_like_the_others(call: Call) -> None:
    assert call.save(pulse="72") == 302

    (reading,) = call.readings()
    assert (reading.kind, int(reading.value)) == (MeasureKind.PULSE, 72)


def test_a_day_without_its_time_is_marked(call: Call) -> None:
    assert call.save(glucose="130", glucose_on="2026-11-23") == 302

    (reading,) = call.readings()
    assert not reading.is_time_known
    assert reading.taken_at <= NOW


@pytest.mark.parametrize(
    ("region", "last", "offered"),
    [("US", None, "[lb_av]"), ("ES", None, "kg"), ("US", "kg", "kg"), ("ES", "[lb_av]", "[lb_av]")],
)
def test_a_weight_is_asked_in_the_unit_of_the_last_one_or_of_the_country(
    call: Call, region: str, last: str | None, offered: str
) -> None:
    with call.sessions.begin() as session:
        session.get_one(Clinic, call.day.clinic.id).region = region
        if last:
            make_reading(
                session, call.day.rosa, MeasureKind.WEIGHT, "80", entered_unit=last, taken_at=NOW
            )

    page = call.client.get(f"/calls/{call.day.rosa.ref}").text

    assert f'<option selected value="{offered}">' in page


def test_a_value_that_is_asked_once_more_has_its_tick_beside_it(call: Call) -> None:
    form = {**call.day.form(reached="yes", minutes="5"), "glucose": "25"}

    page = call.client.post(f"/calls/{call.day.rosa.ref}", data=form).text

    assert page.index('name="is_confirmed"') < page.index('name="systolic"')


@pytest.mark.parametrize("typed", ["7,3", "7.3"])
def test_a_decimal_comma_is_a_point(call: Call, typed: str) -> None:
    assert call.save(glucose=typed, glucose_unit="mmol/L") == 302

    assert [str(each.entered_value) for each in call.readings()] == ["7.3"]


def test_a_comma_that_may_part_thousands_is_asked_about(call: Call) -> None:
    assert call.save(weight="1,320", weight_unit="lb") == 422

    assert call.readings() == []


def test_on_the_next_patients_page_the_saved_call_is_the_last_one(call: Call) -> None:
    form = call.day.form(reached="yes", minutes="5")
    address = f"/calls/{call.day.rosa.ref}"

    page = call.client.post(address, data=form | {"then": "next"}, follow_redirects=True).text

    assert "Your last call is saved. The next one to that patient:" in page
    assert "Saved. Next call:" not in page


def test_on_the_patients_own_page_the_saved_call_is_theirs(call: Call) -> None:
    form = call.day.form(reached="yes", minutes="5")
    address = f"/calls/{call.day.rosa.ref}"

    page = call.client.post(address, data=form | {"then": "stay"}, follow_redirects=True).text

    assert "Saved. Next call:" in page


def test_a_question_in_the_summary_of_errors_has_one_mark(call: Call) -> None:
    form = call.day.form()
    form.pop("reached", None)

    page = call.client.post(f"/calls/{call.day.rosa.ref}", data=form).text

    assert "Did you speak with the patient? Choose" in page
