"""Pages on how patients fare: who may open them, and that lists are what figures say."""

import html
import re
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading, make_staff
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.integration.reports.histories import noon

START = date(2026, 3, 2)
PAGES = (
    "/reports/outcomes",
    "/reports/outcomes/patients?measure=hba1c&point=month_6&group=measured",
    "/reports/outcomes/glycaemic?group=panel",
    "/reports/cohort",
    "/reports/cohort/patients?month=2026-09&of=month&standing=not+controlled",
    "/reports/cohort/patients?month=2026-03&of=cohort&standing=not+controlled",
)
LISTS = [each for each in PAGES if "?" in each]


def followed(session: Session, clinic: Clinic, *values: str | None, phq9: str = "") -> Patient:
    """Somebody with an HbA1c at baseline, month 3 and month 6, where there is one."""
    patient = make_patient(session, clinic, phone=None)
    make_enrolment(session, patient, starts_on=START)
    for day, value in zip((0, 91, 182), values, strict=False):
        if value:
            at = noon(START + timedelta(days=day))
            make_reading(session, patient, MeasureKind.HBA1C, value, taken_at=at, recorded_at=at)
    if phq9:
        at = noon(START)
        make_reading(session, patient, MeasureKind.PHQ9_TOTAL, phq9, taken_at=at, recorded_at=at)
    return patient


def manager(sessions: Sessions, client: FlaskClient, clinic: Clinic) -> None:
    with sessions.begin() as session:
        person = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, person)


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE])
def test_callers_and_nurses_have_no_outcomes(
    sessions: Sessions, client: FlaskClient, role: Role
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), role, password_hash=HASH)
    sign_in(client, person)

    assert [client.get(page).status_code for page in PAGES] == [404] * len(PAGES)


def test_a_manager_sees_their_own_clinic_only(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic, other = make_clinic(session), make_clinic(session)
        mine = followed(session, clinic, "10.0", None, "9.2")
        theirs = followed(session, other, "10.0", None, "9.2")
    manager(sessions, client, clinic)

    pages = [client.get(page) for page in PAGES]

    assert [page.status_code for page in pages] == [200] * len(PAGES)
    assert all(mine.full_name in client.get(path).text for path in LISTS)
    assert all(theirs.full_name not in page.text for page in pages)
    for path in PAGES:
        joint = "&" if "?" in path else "?"
        assert client.get(f"{path}{joint}clinic={other.code}").status_code == 404


def test_a_clinic_without_patients_says_so_and_still_cautions(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
    manager(sessions, client, clinic)

    page = words(client.get("/reports/outcomes").text)

    assert "Nobody was enrolled by then" in page
    assert "There is no control group here" in page


def test_the_change_stands_with_its_numerator_interval_and_caution(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for before, after in (("10.0", "9.0"), ("9.0", "9.0"), ("11.0", "9.5"), ("9.5", None)):
            followed(session, clinic, before, None, after)
    manager(sessions, client, clinic)

    page = words(client.get("/reports/outcomes").text)

    # Changes -1, 0 and -1.5: mean -0.83, SD 0.764; t(2) = 4.303 gives -2.73 to +1.06.
    assert (
        "75% 3 of 4 not counted: 0, window open 10.00 9.17 −0.83 95% CI −2.73 to +1.06 0.76 −1.00"
        in page
    )
    assert "67% 2 of 3 95% CI 21–94" in page  # Wilson of 2/3: 0.208 to 0.939
    assert "Missing at follow-up 25% 1 of 4 9.50" in page
    assert "There is no control group here" in page


@pytest.mark.parametrize("group", ["eligible", "measured", "missing", "responded", "high_before"])
def test_a_list_has_as_many_patients_as_its_figure_says(
    sessions: Sessions, client: FlaskClient, group: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        people = [
            followed(session, clinic, *values)
            for values in (("10.0", None, "9.0"), ("8.5", None, "8.4"), ("9.9",), ())
        ]
    manager(sessions, client, clinic)
    expected = {"eligible": 4, "measured": 2, "missing": 1, "responded": 1, "high_before": 1}

    page = client.get(f"/reports/outcomes/patients?measure=hba1c&point=month_6&group={group}").text

    assert len([each for each in people if each.full_name in page]) == expected[group]
    assert f"{expected[group]} patient" in words(page)


def test_small_strata_are_hidden_and_large_ones_are_linked(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for phq9, count in (("12", 11), ("6", 12), ("2", 30)):
            for _ in range(count):
                followed(session, clinic, "10.0", None, "9.0", phq9=phq9)
        for _ in range(2):
            followed(session, clinic, "10.0", None, "7.7")
    manager(sessions, client, clinic)

    page = client.get("/reports/outcomes").text

    told = words(page)
    assert "No PHQ-9 at baseline hidden: few patients" in told
    assert (
        "PHQ-9 of 10 or more hidden: few patients" in told
    )  # or the other would be 2 by subtraction
    assert "PHQ-9 of 5 to 9 100%" in told
    assert "PHQ-9 of 0 to 4 100%" in told
    assert "key=0+to+4" in page
    assert "key=not+asked" not in page


def test_a_group_of_which_few_were_measured_is_hidden_too(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for phq9, values, count in (
            ("12", ("10.0",), 12),
            ("12", ("10.0", None, "9.0"), 2),
            ("6", ("10.0", None, "9.0"), 13),
            ("2", ("10.0", None, "9.0"), 30),
        ):
            for _ in range(count):
                followed(session, clinic, *values, phq9=phq9)
    manager(sessions, client, clinic)

    told = words(client.get("/reports/outcomes").text)

    assert "PHQ-9 of 10 or more hidden: few patients" in told
    assert "PHQ-9 of 5 to 9 hidden: few patients" in told
    assert "PHQ-9 of 0 to 4 100% 30 of 30" in told


@pytest.mark.parametrize(
    ("by", "key", "shown"),
    [
        ("language", "en", "English 100%"),
        ("sex", "female", "Women 100%"),
        ("age", "55-64", "55 to 64 100%"),
    ],
)
def test_outcomes_go_by_who_patients_are(
    sessions: Sessions, client: FlaskClient, by: str, key: str, shown: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        people = [followed(session, clinic, "10.0", None, "9.0") for _ in range(12)]
    manager(sessions, client, clinic)

    page = client.get(f"/reports/outcomes?by={by}").text
    listed = f"/reports/outcomes/patients?measure=hba1c&point=month_6&group=measured&by={by}&key="

    assert f"{shown} 12 of 12" in words(page)
    assert f"by={by}&amp;key={key}" in page
    assert all(each.full_name in client.get(listed + key).text for each in people)
    assert client.get(f"{listed}nobody").status_code == 404
    assert client.get("/reports/outcomes?by=caller").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/reports/outcomes?measure=shoe_size",
        "/reports/outcomes?point=baseline",
        "/reports/outcomes/patients?measure=hba1c&point=month_6",
        "/reports/outcomes/patients?measure=hba1c&point=month_6&group=everyone",
        "/reports/outcomes/glycaemic",
        "/reports/cohort/patients?month=2026-13&standing=lost",
        "/reports/cohort/patients?month=2026-09&standing=well",
        "/reports/cohort/patients?standing=lost",
    ],
)
def test_what_is_not_there_is_not_found(sessions: Sessions, client: FlaskClient, path: str) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
    manager(sessions, client, clinic)

    assert client.get(path).status_code == 404


@pytest.mark.parametrize("typed", ["yesterday", "2026-11-30", "1999-12-31"])
def test_a_day_that_makes_no_sense_is_kept_and_said(
    sessions: Sessions, client: FlaskClient, typed: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
    manager(sessions, client, clinic)

    page = client.get(f"/reports/outcomes?as_of={typed}").text

    assert "Below is yesterday" in page
    assert f'value="{typed}"' in page
    assert "as of the end of Nov 22, 2026" in page


@pytest.mark.parametrize("patients", [2, 130])
def test_a_page_takes_as_many_statements_for_many_patients(
    sessions: Sessions, client: FlaskClient, patients: int
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for _ in range(patients):
            followed(session, clinic, "10.0", "9.5", "9.0")
    manager(sessions, client, clinic)
    client.get("/reports/outcomes")
    asked = []
    with client.application.app_context():
        engine = db.engine

    for path in PAGES:
        with statements(engine) as seen:
            assert client.get(path).status_code == 200
        asked.append(len(seen))

    # Three of them are about who is signed in; two note that a list was looked at, and two
    # more whom it showed, but for those whom the list before has shown already. A list by name
    # asks for the state of the directory, and here, without pages, for the names themselves.
    assert asked == [10, 15, 14, 9, 16, 15]


def test_a_long_list_has_pages(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for _ in range(130):
            followed(session, clinic, "10.0", None, "9.0")
    manager(sessions, client, clinic)
    path = f"{PAGES[1]}&page="

    first, second = client.get(f"{path}1").text, client.get(f"{path}2").text

    assert (first.count('<th scope="row">'), second.count('<th scope="row">')) == (100, 30)
    assert "130 patients; 101 to 130 are shown" in words(second)


def test_the_board_counts_whom_its_lists_name(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for values in (("10.0", None, "9.0"), ("10.0", None, "7.5"), ("10.0",)):
            followed(session, clinic, *values)
        for status in (EnrolmentStatus.ACTIVE, EnrolmentStatus.DIED):
            other = make_patient(session, clinic)
            make_enrolment(session, other, status=status, starts_on=date(2026, 10, 5))
    manager(sessions, client, clinic)

    page = client.get("/reports/cohort").text

    # Month 6 is on August 31, so it is the newest value until October.
    assert "October 2026 3 33% 1 of 3 33% 1 of 3 33% 1 of 3 0% 0 of 3 1 new , 1 gone" in words(page)
    assert "March 2026 3 33% 1 of 3 33% 1 of 3 33% 1 of 3 0% 0 of 3" in words(page)
    links = [
        html.unescape(each) for each in re.findall(r'href="(/reports/cohort/patients[^"]*)"', page)
    ]
    parts = {parse_qs(urlsplit(link).query).get("standing", [""])[0] for link in links}
    assert parts >= {"under care", "new", "gone", "controlled", "began", ""}
    for link in links:
        figure = re.search(rf'href="{re.escape(html.escape(link))}">(\d+)', page)
        assert figure is not None
        assert client.get(link).text.count('<th scope="row">') == int(figure[1])


def test_whom_the_board_does_not_count_are_named_in_a_list(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        followed(session, clinic, "10.0")
        for name, status in (("New", EnrolmentStatus.ACTIVE), ("Gone", EnrolmentStatus.DIED)):
            patient = make_patient(session, clinic, given_name=name, family_name="Patient")
            make_enrolment(session, patient, status=status, starts_on=date(2026, 10, 5))
    manager(sessions, client, clinic)
    path = "/reports/cohort/patients?month=2026-10&standing="

    new, gone = client.get(f"{path}new").text, client.get(f"{path}gone").text

    assert "New: in their first three calendar months" in new
    assert "at the end of October 2026" in new
    assert "New Patient" in new
    assert "Gone Patient" not in new
    assert "Gone: died or left" in gone
    assert "Gone Patient" in gone
    assert "3 patients" in words(client.get("/reports/cohort/patients?of=everybody").text)


@pytest.mark.parametrize(
    "query",
    ["month=2026-10&standing=began", "month=2026-13&standing=new", "of=cohort&month=2026-10",
     "of=cohort&month=2026-10&standing=new", "standing=new", ""],
)  # fmt: skip
def test_a_figure_that_the_board_has_not_is_not_there(
    sessions: Sessions, client: FlaskClient, query: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
    manager(sessions, client, clinic)

    assert client.get(f"/reports/cohort/patients?{query}").status_code == 404


@pytest.mark.parametrize("page", ["-3", "0", "99999999999999999999", "two"])
def test_a_page_that_there_is_not_breaks_nothing(
    sessions: Sessions, client: FlaskClient, page: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        followed(session, clinic, "10.0", None, "9.0")
    manager(sessions, client, clinic)

    for path in (PAGES[1], "/reports/adherence/patients?measure=protocol"):
        assert client.get(f"{path}&page={page}").status_code == 200
