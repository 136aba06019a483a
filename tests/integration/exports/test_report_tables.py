"""Every table and chart of every report page is a file, with the figures of its page."""

import csv
import html
import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from outreach.accounts.rules import Scope
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.exports.models import Export
from outreach.exports.rules import Content, Format, Progress
from outreach.exports.views import OF_A_LIST
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.reports import adherence, load
from outreach.reports.asked import Here
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import Measure, parts_of
from tests.integration.exports.conftest import House
from tests.xlsx import sheets as sheets_of

DAYS = "clinic=NORTH&from_on=2026-11-01&until_on=2026-11-20"
AROUND = "clinic=NORTH&from_on=2026-05-20&until_on=2026-06-30"
AS_OF = "clinic=NORTH&as_of=2026-11-20"
PAGES = (
    f"/reports/adherence?{DAYS}",
    f"/reports/adherence?{DAYS}&by=sex&weeks=reach_per_dial",
    f"/reports/adherence?{DAYS}&as_of=2026-11-21",
    f"/reports/adherence/patients?{DAYS}&measure=completion",
    f"/reports/adherence/patients?{DAYS}&dial=2",
    f"/reports/adherence/calls?{DAYS}&measure=completion",
    f"/reports/adherence/calls?{DAYS}&measure=reach_per_dial&by=sex&group=female",
    f"/reports/around?{DAYS}",
    f"/reports/around/patients?{AROUND}&measure=stayed_3",
    f"/reports/around?{AROUND}&by=caller",
    f"/reports/around/concerns?{DAYS}&measure=in_time&by=week&group=2026-11-09",
    f"/reports/adherence/concerns?{DAYS}&caller=ANA",
    f"/reports/adherence/days?{DAYS}&caller=ANA",
    f"/reports/adherence/caller?{DAYS}&caller=ANA",
    "/reports/today?clinic=NORTH",
    "/reports/today/calls?clinic=NORTH&caller=ANA",
    f"/reports/outcomes?{AS_OF}",
    f"/reports/outcomes?{AS_OF}&measure=phq9&point=month_3&by=language",
    f"/reports/outcomes/patients?{AS_OF}&measure=hba1c&point=month_3&group=eligible",
    f"/reports/outcomes/glycaemic?{AS_OF}&group=panel",
    f"/reports/cohort?{AS_OF}",
    f"/reports/cohort?{AS_OF}&by=region",
    f"/reports/outcomes?{AS_OF}&by=clinic",
    f"/reports/cohort/patients?{AS_OF}&month=2026-03&of=cohort&standing=controlled",
)
START = date(2026, 3, 2)
OFFERED = re.compile(r'name="content" value="([^"]+)"|<option value="([^"]+)">[^<]*</option>')


def offered(page: str) -> tuple[str, list[str]]:
    """Return the parameters and the contents that a page's form sends."""
    form = page[page.index('<form class="take') :]
    form = form[: form.index("</form>")]
    query = re.search(r'name="query" value="([^"]*)"', form)
    assert query
    return html.unescape(query.group(1)), [a or b for a, b in OFFERED.findall(form)]


def page_at(house: House, path: str) -> str:
    """Return a page; ANA stands for the number of the caller."""
    with house.sessions() as session:
        path = path.replace("ANA", str(house.ana(session).id))
    return house.client.get(path).text


def files(house: House) -> dict[str, Export]:
    while house.write():
        continue
    with house.sessions() as session:
        return {each.form_key: each for each in session.scalars(select(Export))}


def read(house: House, export: Export) -> bytes:
    with house.client.get(f"/exports/{export.ref}/file") as answer:
        return answer.data


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_offers_is_written_in_both_forms(full_house: House, path: str) -> None:
    house = full_house
    query, contents = offered(page_at(house, path))
    assert contents

    for number, content in enumerate(contents):
        for ending in (Format.CSV, Format.XLSX):
            assert house.ask(content, ending, query, key=f"{number}.{ending}") == 302
        found = files(house)
        table = found[f"{number}.csv"]
        assert table.progress is Progress.READY, (content, table.trouble)
        rows = list(csv.reader(io.StringIO(read(house, table).decode("utf-8-sig"))))
        assert len(rows) == (table.rows_total or 0) + 1
        book = sheets_of(read(house, found[f"{number}.xlsx"]))
        assert [str(cell) for cell in book["Data"][0]] == rows[0]
        told = {row[0] for row in book["Definitions"] if row}
        assert set(rows[0]) <= told
        assert "Clinic" in told


def test_every_content_of_a_report_stands_on_a_page(full_house: House) -> None:
    seen = {Content(content) for path in PAGES for content in offered(page_at(full_house, path))[1]}
    elsewhere = {
        Content.PATIENTS,
        Content.FHIR,
        Content.RESEARCH,
        Content.OWN_DATA,
        Content.AUDIT,
        Content.PULSE,  # once enough callers answered: tests/integration/pulse/test_months.py
        Content.TEAM_GROUPS,  # by week, clinic and region only: test_team_files.py
        *OF_A_LIST,
    }
    assert set(Content) - seen - elsewhere == set()


def test_a_group_has_the_figures_of_the_report(house: House) -> None:
    house.ask(Content.GROUPS, Format.CSV, f"{DAYS}&by=sex", key="g")
    rows = list(csv.DictReader(io.StringIO(read(house, files(house)["g"]).decode("utf-8-sig"))))
    with house.sessions() as session:
        clinic = session.merge(house.clinic)
        scope = Scope(house.manager.id, everything=False, clinic_ids=frozenset({clinic.id}))
        days = Period(date(2026, 11, 1), date(2026, 11, 20))
        asked = Here.of(scope, clinic, now=house.clock()).about(days)
        total = adherence.report(session, asked).total
    for measure in (Measure.COMPLETION, Measure.REACH_PER_DIAL):
        parts = [
            (int(row["numerator"]), int(row["denominator"]))
            for row in rows
            if row["measure"] == measure.value
        ]
        assert parts == [parts_of(measure, total)] * 2  # all of them, and all are women


def test_the_file_of_the_team_tells_what_weighs_on_it(house: House) -> None:
    house.ask(Content.TEAM, Format.CSV, DAYS, key="t")
    rows = list(csv.DictReader(io.StringIO(read(house, files(house)["t"]).decode("utf-8-sig"))))
    with house.sessions() as session:
        clinic = session.merge(house.clinic)
        scope = Scope(house.manager.id, everything=False, clinic_ids=frozenset({clinic.id}))
        days = Period(date(2026, 11, 1), date(2026, 11, 20))
        asked = Here.of(scope, clinic, now=house.clock()).about(days)
        report = adherence.report(session, asked)
        loads = load.of_team(session, asked, report.dialled)
    assert any(each.run for each in loads.values())
    expected = {line.name: loads[line.caller_id or 0] for line, days in report.team if days}
    assert {
        row["caller"]: (int(row["days_in_a_row"]), int(row["concerns"]))
        for row in rows
        if int(row["days"])
    } == {name: (each.run, each.concerns) for name, each in expected.items()}


def test_a_hidden_group_has_no_file_of_its_patients(house: House) -> None:
    for content in (Content.BEHIND, Content.SINGLE_CALLS):
        house.ask(content, Format.CSV, f"{DAYS}&measure=completion&by=sex&group=male", key=content)
        assert files(house)[content].progress is Progress.FAILED


def test_lists_of_work_are_files(house: House) -> None:
    with house.sessions.begin() as session:
        enrolment = session.scalars(select(Enrolment).order_by(Enrolment.id)).first()
        assert enrolment is not None
        owned = {"clinic_id": house.clinic.id, "patient_id": enrolment.patient_id}
        opened = {
            "enrolment_id": enrolment.id,
            "reason": "missed in a row: 3",
            "note": "",
        }
        session.add(
            FollowUp(**owned, **opened, kind=FollowUpKind.CONTACT_CHECK, opened_at=house.clock())
        )
        concern = {"kind": ConcernKind.SAFETY, "urgency": Urgency.SAME_DAY}
        raised_at = house.clock() - timedelta(minutes=90)
        session.add(Concern(**owned, **concern, status=ConcernStatus.OPEN, raised_at=raised_at))
    rows = {}
    for content, path in (
        (Content.CONCERNS, "/concerns/"),
        (Content.FOLLOW_UPS, "/patients/follow-ups/"),
        (Content.TO_MEASURE, "/due/"),
    ):
        query, contents = offered(house.client.get(path).text)
        assert content in contents
        assert house.ask(content, Format.CSV, query, key=content) == 302
        text = read(house, files(house)[content]).decode("utf-8-sig")
        rows[content] = list(csv.DictReader(io.StringIO(text)))
    assert [(row["given_name"], row["minutes"]) for row in rows[Content.CONCERNS]] == [
        ("P00", "90")
    ]
    assert [row["reason"] for row in rows[Content.FOLLOW_UPS]] == ["missed in a row: 3"]
    assert all(row["missing"] for row in rows[Content.TO_MEASURE])
