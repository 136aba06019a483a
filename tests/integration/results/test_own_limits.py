"""A nurse sets when to be told of a patient's values; what is dangerous is told anyway."""

from datetime import date

from sqlalchemy import select

from outreach.audit.models import AuditEvent
from outreach.concerns.models import ConcernStep, OwnLimits
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.rules import MeasureKind
from tests.builders import make_reading
from tests.conftest import sign_in
from tests.fakes import FakeClock
from tests.integration.results.conftest import Ward

TODAY = date(2026, 11, 23)


def put(ward: Ward, measure: str = "glucose", **answers: str) -> int:
    data = {"unit": "mg/dL", "reason": "Does not feel lows", "keep": "1", "seen": "0", **answers}
    path = f"/concerns/limits/{ward.rosa.ref}?measure={measure}"
    return ward.client.post(path, data=data).status_code


def settings(ward: Ward) -> list[OwnLimits]:
    with ward.sessions() as session:
        return list(session.scalars(select(OwnLimits).order_by(OwnLimits.id)))


def enter(ward: Ward, value: str, key: str = "page", **answers: str) -> None:
    sign_in(ward.client, ward.nurse)
    data = {"value_glucose_lab": value, "unit_glucose_lab": "mg/dL", **answers}
    assert ward.enter(data, form_key=key) == 302


def test_a_value_beyond_own_limits_is_told_with_who_set_them_and_why(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    assert put(ward, low="80") == 302

    enter(ward, "78")
    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY)]
    with ward.sessions() as session:
        words = session.scalars(select(ConcernStep.note)).one()
        action = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert words == (
        "78 mg/dL (4.3 mmol/L). Own limits of this patient: below 80 mg/dL "
        f"({ward.nurse.name}: Does not feel lows)."
    )
    assert "set own limits" in action


def test_a_limit_in_mmol_is_kept_in_both_units(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    put(ward, low="4.5", unit="mmol/L")

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text

    assert "below 4.5 mmol/L (81 mg/dL)" in page
    enter(ward, "81")
    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY)]


def test_taking_limits_away_brings_everybodys_back_and_keeps_the_history(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    put(ward, low="60")
    enter(ward, "65")
    assert ward.concerns() == []

    assert put(ward, seen="1", remove="1", keep="", reason="Feels them again") == 302

    enter(ward, "65", key="another")
    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY)]
    assert [(each.number, each.low, each.reason) for each in settings(ward)] == [
        (1, 60, "Does not feel lows"),
        (2, None, "Feels them again"),
    ]
    page = ward.client.get(f"/concerns/limits/{ward.rosa.ref}").text
    assert "Feels them again" in page
    assert "Does not feel lows" in page


def test_limits_end_after_their_last_day(ward: Ward, clock: FakeClock) -> None:
    sign_in(ward.client, ward.nurse)
    put(ward, low="80", until_on="2026-11-23")
    enter(ward, "78")
    assert len(ward.concerns()) == 1

    clock.now = clock.now.replace(day=24)
    enter(ward, "78", key="next day", on="2026-11-24")

    assert len(ward.concerns()) == 1


def test_nobody_can_hide_what_is_dangerous(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    assert put(ward, low="50") == 422
    assert put(ward, high="500") == 422
    assert put(ward, high="190", measure="systolic", unit="mm[Hg]") == 422

    assert settings(ward) == []


def test_a_limit_needs_a_reason_a_value_and_a_day_to_come(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    statuses = [
        put(ward, low="80", reason=""),
        put(ward),
        put(ward, low="80", until_on="2026-11-22"),
        put(ward, low="80", unit="kg"),
    ]

    assert statuses == [422] * 4
    assert settings(ward) == []


def test_of_two_nurses_at_once_one_is_told(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    assert put(ward, low="80") == 302

    assert put(ward, low="90", seen="0") == 409

    assert [each.low for each in settings(ward)] == [80]


def test_only_nurses_set_limits_and_everybody_sees_them(ward: Ward) -> None:
    sign_in(ward.client, ward.caller)
    assert put(ward, low="80") == 404
    sign_in(ward.client, ward.manager)
    assert put(ward, low="80") == 404
    sign_in(ward.client, ward.nurse)
    put(ward, low="80", high="250")
    with ward.sessions.begin() as session:
        make_reading(session, ward.rosa, MeasureKind.GLUCOSE, "120")
    sign_in(ward.client, ward.caller)

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text

    assert "a nurse is told below 80 mg/dL (4.4 mmol/L), from 250 mg/dL (13.9 mmol/L)" in page
    assert "Own limits</a>" not in page
    assert "own limit, below" in page  # beside the chart's other levels
    assert "own limit, from" in page


def test_a_correction_is_judged_by_own_limits(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    put(ward, low="80")
    enter(ward, "98")
    assert ward.concerns() == []

    (reading,) = ward.readings()
    ward.correct(reading, value="78", reason="Misheard")

    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.SAME_DAY)]
