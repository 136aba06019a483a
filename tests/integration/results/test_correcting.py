"""A correction stands in place of a reading, and says why; the original stays."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, StepKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from tests.builders import make_reading
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.results.conftest import Ward


def kept(ward: Ward, value: str = "52", **deviations: object) -> Reading:
    with ward.sessions.begin() as session:
        return make_reading(
            session, ward.rosa, MeasureKind.GLUCOSE, value, taken_at=NOW, **deviations
        )


def test_the_original_stays_struck_out_in_words(ward: Ward) -> None:
    wrong = kept(ward, "252")
    sign_in(ward.client, ward.nurse)

    assert ward.correct(wrong, value="152", reason="Misheard on the phone") == 302

    original, correction = ward.readings()
    assert (original.entered_value, original.is_void) == ("252", False)
    assert correction.supersedes_id == original.id
    assert (correction.entered_value, correction.reason) == ("152", "Misheard on the phone")
    page = ward.client.get(f"/patients/{ward.rosa.ref}").text
    table, timeline = page.split('id="timeline"')
    for part in (table, timeline):
        assert "<s>252 mg/dL (14.0 mmol/L)</s>" in part
        assert "corrected" in part
        assert "Misheard on the phone" in part


def test_a_correction_begins_with_the_value_as_it_was_written(ward: Ward) -> None:
    wrong = kept(ward, "252")
    sign_in(ward.client, ward.nurse)

    page = ward.client.get(f"/patients/{ward.rosa.ref}/readings/{wrong.id}/correct").text

    assert 'value="252"' in page


def test_a_reading_taken_back_leaves_nothing_in_its_place(ward: Ward) -> None:
    wrong = kept(ward, "252")
    sign_in(ward.client, ward.nurse)

    assert ward.correct(wrong, is_void="y", reason="Another patient's") == 302

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text
    assert "entered in error" in page
    assert 'class="chart__dot"' not in page
    assert page.count("252 mg/dL") == page.count("<s>252 mg/dL") == 2


def test_the_ladder_judges_the_corrected_value_by_its_own_time(ward: Ward) -> None:
    wrong = kept(ward, "152")
    sign_in(ward.client, ward.nurse)

    ward.correct(wrong, value="52", reason="A digit too many", on="2026-11-21")

    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.NEXT_BUSINESS_DAY)]


def test_an_open_concern_is_told_and_not_raised_twice(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    ward.enter({"value_glucose": "52", "unit_glucose": "mg/dL"})

    ward.correct(ward.readings()[0], value="50", reason="Read it again")
    ward.correct(ward.readings()[1], value="150", reason="It was 150 after all")

    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.NOW)]
    with ward.sessions() as session:
        notes = session.scalars(
            select(ConcernStep.note).where(ConcernStep.kind == StepKind.NOTED)
        ).all()
    assert notes == [
        "Reading corrected: 50 mg/dL (2.8 mmol/L). Read it again",
        "Reading corrected: 150 mg/dL (8.3 mmol/L). It was 150 after all",
    ]


def test_what_became_worse_is_raised(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    ward.enter({"value_glucose": "65", "unit_glucose": "mg/dL"})

    ward.correct(ward.readings()[0], value="45", reason="Read it again")

    assert ward.concerns() == [
        (ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY),
        (ConcernKind.GLUCOSE_LOW, Urgency.NOW),
    ]


def test_a_second_correction_of_the_same_reading_is_refused(ward: Ward) -> None:
    wrong = kept(ward)
    sign_in(ward.client, ward.nurse)
    ward.correct(wrong, value="152", reason="First")

    assert ward.correct(wrong, value="162", reason="Second") == 409
    assert [each.entered_value for each in ward.readings()] == ["52", "152"]


@pytest.mark.parametrize(
    "answers",
    [
        {"value": "152"},
        {"value": "", "reason": "x"},
        {"value": "5.2", "reason": "x"},
        {"value": "420", "reason": "x"},
        {"value": "152", "reason": "x", "on": "2026-11-24"},
        {"value": "152", "reason": "x", "unit": "kg"},
    ],
)
def test_a_correction_is_checked_as_a_new_value_is(ward: Ward, answers: dict[str, str]) -> None:
    wrong = kept(ward)
    sign_in(ward.client, ward.nurse)

    assert ward.correct(wrong, **answers) == 422
    assert len(ward.readings()) == 1


def test_callers_correct_what_they_entered_and_nothing_else(ward: Ward) -> None:
    own = kept(ward, recorded_by_id=ward.caller.id)
    other = kept(ward, recorded_by_id=ward.nurse.id)
    sign_in(ward.client, ward.caller)

    assert ward.correct(own, value="152", reason="Typed wrong") == 302
    assert ward.correct(other, value="152", reason="Typed wrong") in {403, 404}


def test_the_form_shows_what_was_entered_in_its_unit(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        reading = make_reading(
            session,
            ward.rosa,
            MeasureKind.WEIGHT,
            "90.718",
            entered_value="200",
            entered_unit="[lb_av]",
            taken_at=NOW - timedelta(hours=1),
        )
    sign_in(ward.client, ward.nurse)

    page = ward.client.get(f"/patients/{ward.rosa.ref}/readings/{reading.id}/correct").text

    assert 'value="200.0"' in page or 'value="200.00"' in page
    assert '<option selected value="[lb_av]">' in page
    assert 'value="09:00"' in page


def test_what_is_urgent_in_a_correction_is_told_before_it_is_saved(ward: Ward) -> None:
    wrong = kept(ward, "152")
    sign_in(ward.client, ward.nurse)

    assert ward.correct(wrong, value="450", reason="Three digits") == 422  # to be read back

    assert ward.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.NOW)]
    assert ward.correct(wrong, value="450", reason="Three digits", is_confirmed="y") == 302
    assert ward.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.NOW)]
    with ward.sessions() as session:
        (concern,) = session.scalars(select(Concern))
    assert concern.reading_id == ward.readings()[1].id


def test_a_correction_saved_without_what_was_told_says_so(ward: Ward) -> None:
    wrong = kept(ward, "152")
    sign_in(ward.client, ward.nurse)
    ward.correct(wrong, value="52")  # no reason

    assert ward.correct(wrong, value="162", reason="Read it again") == 302

    with ward.sessions() as session:
        notes = session.scalars(select(ConcernStep.note).order_by(ConcernStep.id)).all()
    assert notes == ["52 mg/dL (2.9 mmol/L)", "Saved without a low blood sugar."]


def test_a_correction_as_urgent_as_before_tells_nobody_again(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    ward.enter({"value_glucose": "45", "unit_glucose": "mg/dL"})

    assert ward.correct(ward.readings()[0], value="48") == 422
    assert ward.correct(ward.readings()[0], is_void="y", value="48") == 422

    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.NOW)]


def test_a_value_is_no_earlier_one_of_its_own_correction(ward: Ward) -> None:
    wrong = kept(ward, "320")
    sign_in(ward.client, ward.nurse)

    assert ward.correct(wrong, value="310") == 422

    assert ward.concerns() == []


def test_a_correction_that_comes_second_tells_what_is_urgent(ward: Ward) -> None:
    wrong = kept(ward, "152")
    sign_in(ward.client, ward.nurse)
    ward.correct(wrong, value="162", reason="First")

    assert ward.correct(wrong, value="45", reason="Second") == 409

    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.NOW)]


def test_a_correction_overtaken_by_one_as_urgent_adds_words_and_alerts_nobody_again(
    ward: Ward,
) -> None:
    wrong = kept(ward, "152")
    sign_in(ward.client, ward.nurse)
    ward.correct(wrong, value="48", reason="First")

    for _sent_twice in range(2):
        assert ward.correct(wrong, value="45", reason="Second") == 409

    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.NOW)]
    with ward.sessions() as session:
        notes = session.scalars(select(ConcernStep.note).order_by(ConcernStep.id)).all()
    assert notes[1:] == ["A second correction, not kept, said: 45 mg/dL (2.5 mmol/L)"]


def test_what_a_colleague_wrote_instead_is_no_second_high_value(ward: Ward) -> None:
    wrong = kept(ward, "152")
    sign_in(ward.client, ward.nurse)
    ward.correct(wrong, value="305", reason="First")

    assert ward.correct(wrong, value="310", reason="Second", at="09:50") == 409

    assert ward.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.SAME_DAY)]
