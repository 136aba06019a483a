"""Charts of the patient page: pressure, weight and scores, with levels, and a table behind."""

from datetime import timedelta

from outreach.measures.rules import Bound, MeasureKind
from tests.builders import make_reading
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.results.conftest import Ward


def test_each_measure_has_a_chart_with_its_levels_and_a_table(ward: Ward) -> None:
    values = {
        MeasureKind.SYSTOLIC: ("128", "mm[Hg]"),
        MeasureKind.DIASTOLIC: ("84", "mm[Hg]"),
        MeasureKind.WEIGHT: ("90.718", "[lb_av]"),
        MeasureKind.PHQ9_TOTAL: ("12", "{score}"),
        MeasureKind.GAD7_TOTAL: ("8", "{score}"),
        MeasureKind.HEIGHT: ("165.1", "cm"),
    }
    with ward.sessions.begin() as session:
        for kind, (value, unit) in values.items():
            make_reading(session, ward.rosa, kind, value, entered_unit=unit, taken_at=NOW)
    sign_in(ward.client, ward.nurse)

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text

    for name in ("Blood pressure", "Weight", "PHQ-9", "GAD-7"):
        assert f"<caption>{name}, every value</caption>" in page
    assert "Upper: urgent, from 180" in page
    assert "Lower: stage 1, from 80" in page
    assert "moderate, from 10" in page
    assert "200" in page.split("Weight, every value")[1].split("</table>")[0]
    assert "33.3 kg/m²" in page
    assert "obesity, class 1" in page
    # The lower pressure is told from the upper by shape: rings and squares.
    assert page.count('class="chart__dot chart__dot--second"') >= 1


def test_a_meter_without_a_number_is_in_the_table_and_not_in_the_chart(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        make_reading(
            session,
            ward.rosa,
            MeasureKind.GLUCOSE,
            "600",
            entered_value="HI",
            bound=Bound.HIGH,
            taken_at=NOW - timedelta(hours=1),
        )
    sign_in(ward.client, ward.nurse)

    page = ward.client.get(f"/patients/{ward.rosa.ref}").text

    assert "Blood sugar, every value" not in page
    assert "HI: more than the meter can show" in page
    assert "HI and LO of a meter are no numbers" in page
