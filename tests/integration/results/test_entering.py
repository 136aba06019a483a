"""A nurse enters what a laboratory found; a caller what a patient told outside a call."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from outreach.concerns.models import ConcernStep
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.questionnaires import licences
from outreach.questionnaires.licences import Permission
from outreach.questionnaires.rules import INSTRUMENTS, InstrumentCode
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.results.conftest import Ward


def test_a_nurse_enters_several_values_taken_at_one_time(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    status = ward.enter(
        {
            "value_hba1c": "64",
            "unit_hba1c": "mmol/mol",
            "value_glucose_lab": "7.3",
            "unit_glucose_lab": "mmol/L",
            "value_height": "65",
            "unit_height": "[in_i]",
            "is_unreliable": "y",
        }
    )

    assert status == 302
    found = {each.kind: each for each in ward.readings()}
    assert {kind: each.value for kind, each in found.items()} == {
        MeasureKind.HBA1C: Decimal("8.006"),
        MeasureKind.GLUCOSE_LAB: Decimal("131.517"),
        MeasureKind.HEIGHT: Decimal("165.1"),
    }
    hba1c = found[MeasureKind.HBA1C]
    assert (hba1c.entered_value, hba1c.entered_unit) == ("64", "mmol/mol")
    assert (hba1c.taken_at, hba1c.recorded_at) == (datetime(2026, 11, 23, 15, 30, tzinfo=UTC), NOW)
    assert hba1c.source is ReadingSource.STAFF
    assert hba1c.is_unreliable
    assert not found[MeasureKind.HEIGHT].is_unreliable


def test_both_units_show_and_the_one_of_entry_first(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    ward.enter({"value_glucose_lab": "7.3", "unit_glucose_lab": "mmol/L"})
    ward.enter({"value_weight": "200", "unit_weight": "[lb_av]"}, form_key="another")

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text

    assert "7.3 mmol/L (132 mg/dL)" in page
    assert "200.0 lb (90.7 kg)" in page


def test_a_page_sent_twice_is_kept_and_told_once(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    for _time in range(2):
        assert ward.enter({"value_glucose_lab": "41", "unit_glucose_lab": "mg/dL"}) == 302

    assert len(ward.readings()) == 1
    assert ward.concerns() == [(ConcernKind.GLUCOSE_LOW, Urgency.NOW)]


def test_an_old_value_opens_a_task_by_the_time_of_the_body(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    ward.enter({"value_glucose_lab": "450", "unit_glucose_lab": "mg/dL", "on": "2026-11-20",
                "is_confirmed": "y"})  # fmt: skip

    assert ward.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.NEXT_BUSINESS_DAY)]


def test_a_time_that_nobody_knows_is_marked(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    ward.enter({"value_hba1c": "8.1", "unit_hba1c": "%", "on": "2026-11-20", "at": ""})

    (reading,) = ward.readings()
    assert not reading.is_time_known
    assert "time not known" in ward.client.get(f"/patients/{ward.rosa.ref}").text


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"value_hba1c": "53", "unit_hba1c": "%"},
        {"value_glucose_lab": "5.5", "unit_glucose_lab": "mg/dL"},
        {"value_glucose_lab": "430", "unit_glucose_lab": "mg/dL"},
        {"value_systolic": "80", "value_diastolic": "90"},
        {"value_systolic": "120"},
        {"value_hba1c": "8", "unit_hba1c": "%", "on": "2026-11-24"},
        {"value_hba1c": "8", "unit_hba1c": "%", "at": "10:01"},
        {"value_hba1c": "8", "unit_hba1c": "%", "on": "9999-12-31"},
        {"value_hba1c": "8", "unit_hba1c": "%", "on": "0001-01-01"},
        {"value_hba1c": "8", "unit_hba1c": "%", "on": ""},
        {"value_hba1c": "8", "unit_hba1c": "stone"},
        {"value_gmi": "7.4"},
        {"value_gmi": "7.4", "begins_on": "2026-11-23"},
    ],
)
def test_what_cannot_be_right_is_refused(ward: Ward, answers: dict[str, str]) -> None:
    sign_in(ward.client, ward.nurse)
    units = {"unit_systolic": "mm[Hg]", "unit_diastolic": "mm[Hg]", "unit_gmi": "%"}

    assert ward.enter({**units, **answers}) == 422
    assert ward.readings() == []


def test_a_gmi_keeps_its_period(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    ward.enter({"value_gmi": "7.4", "unit_gmi": "%", "begins_on": "2026-11-09"})

    assert ward.readings()[0].begins_on == date(2026, 11, 9)


def test_a_caller_is_offered_what_patients_tell_and_nothing_of_a_laboratory(ward: Ward) -> None:
    sign_in(ward.client, ward.caller)
    page = ward.client.get(f"/patients/{ward.rosa.ref}/readings/new").text

    assert 'name="value_glucose"' in page
    assert 'name="value_glucose_lab"' not in page
    assert ward.enter({"value_glucose_lab": "120", "unit_glucose_lab": "mg/dL"}) == 422


def test_a_manager_enters_nothing(ward: Ward) -> None:
    sign_in(ward.client, ward.manager)

    assert ward.enter({"value_hba1c": "8", "unit_hba1c": "%"}) == 404


def test_the_registry_is_open_to_whoever_must_confirm_it(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)

    page = ward.client.get("/measures/").text

    assert "4548-4" in page
    assert "high: above 9.0 % (75 mmol/mol)" in page
    assert page.count("unverified</span>") == 17
    sign_in(ward.client, ward.caller)
    assert ward.client.get("/measures/").status_code == 404


def test_what_was_saved_is_told_where_it_is_seen(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    data = {"form_key": "page", "on": "2026-11-23", "at": "09:30"}
    value = {"value_hba1c": "8,4", "unit_hba1c": "%"}

    saved = ward.client.post(f"/patients/{ward.rosa.ref}/readings/new", data=data | value)

    assert saved.location == f"/patients/{ward.rosa.ref}"  # its top, where the words stand


def test_whoever_came_from_the_list_of_what_is_missing_goes_back_there(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    address = f"/patients/{ward.rosa.ref}/readings/new?back=due"
    assert address in ward.client.get("/due/").text
    form = ward.client.get(address).text
    assert f'action="{address}"' in form
    data = {"form_key": "page", "on": "2026-11-23", "at": "09:30", "value_hba1c": "8"}

    saved = ward.client.post(address, data={**data, "unit_hba1c": "%"}, follow_redirects=True)

    assert saved.request.path == "/due/"
    assert "Saved. What is still missing stands below." in saved.text
    assert len(ward.readings()) == 1


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"value_glucose": "450", "unit_glucose": "mg/dL"}, ConcernKind.GLUCOSE_HIGH),
        ({"value_glucose_lab": "41", "unit_glucose_lab": "mg/dL", "on": ""},
         ConcernKind.GLUCOSE_LOW),
        ({"signs": "danger"}, ConcernKind.SAFETY),
        ({"value_systolic": "185", "unit_systolic": "mm[Hg]", "signs": "danger"},
         ConcernKind.PRESSURE_HIGH),
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["nurse", "caller"])
def test_what_is_urgent_is_told_though_the_page_is_refused(
    ward: Ward, answers: dict[str, str], kind: ConcernKind, role: str
) -> None:
    sign_in(ward.client, ward.nurse if role == "nurse" else ward.caller)
    is_entered_here = role == "nurse" or "value_glucose_lab" not in answers

    assert [ward.enter(answers) for _time in range(2)] == [422, 422]

    assert ward.readings() == []
    assert ward.concerns() == ([(kind, Urgency.NOW)] if is_entered_here else [])


def test_a_saved_value_joins_what_was_told_of_its_page_and_of_no_other(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    high = {"value_glucose": "450", "unit_glucose": "mg/dL"}
    assert ward.enter(high) == 422
    assert ward.enter({"value_weight": "80", "unit_weight": "kg"}, form_key="another") == 302

    assert ward.enter({**high, "is_confirmed": "y"}) == 302

    assert ward.concerns() == [(ConcernKind.GLUCOSE_HIGH, Urgency.NOW)]
    with ward.sessions() as session:
        notes = session.scalars(select(ConcernStep.note)).all()
    assert not any("without" in each for each in notes)


def test_a_change_that_counts_stands_beside_the_value(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    for day, value in (("2026-08-20", "9.9"), ("2026-11-20", "9.2"), ("2026-11-23", "9.1")):
        ward.enter({"value_hba1c": value, "unit_hba1c": "%", "on": day, "at": ""}, form_key=day)

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text

    assert page.count("a change that counts") == 1
    assert "0.7 % less than before, a change that counts" in page


def test_the_scale_of_the_eq_5d_is_entered_only_while_that_is_permitted(ward: Ward) -> None:
    sign_in(ward.client, ward.nurse)
    path = f"/patients/{ward.rosa.ref}/readings/new"
    assert 'name="value_eq_vas"' not in ward.client.get(path).text
    with ward.sessions.begin() as session:
        permission = Permission(
            "EuroQol", date(2026, 11, 2), "You may.", "", tuple("ABCDE"), tuple("12345")
        )
        licences.state(
            session,
            INSTRUMENTS[InstrumentCode.EQ_5D],
            permission,
            by_staff_id=ward.manager.id,
            now=NOW,
        )

    assert 'name="value_eq_vas"' in ward.client.get(path).text
