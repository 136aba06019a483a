"""Lists of patients behind figures of the adherence page."""

import re

import pytest
from flask.testing import FlaskClient

from outreach.orm import Sessions
from tests.builders import make_clinic
from tests.conftest import sign_in
from tests.integration.reports.test_pages import call_made, manager_of


def test_a_list_names_the_patients_of_its_group(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        ana, ben = (call_made(session, clinic, name=name) for name in ("Ana Ortiz", "Ben Levi"))
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    page = client.get("/reports/adherence").text
    links = re.findall(r'href="(/reports/adherence/patients[^"]*measure=completion[^"]*)"', page)
    everybody, of_ana, of_ben, beside_target = (
        client.get(link.replace("&amp;", "&")).text for link in links
    )

    assert "50%" in everybody
    for words, names in (
        (everybody, {ana.full_name, ben.full_name}),
        (beside_target, {ana.full_name, ben.full_name}),
        (of_ana, {ana.full_name}),
        (of_ben, {ben.full_name}),
    ):
        assert {each.full_name for each in (ana, ben) if each.full_name in words} == names


@pytest.mark.parametrize(
    "asked",
    [
        "measure=luck",
        "measure=still_open",
        "measure=completion&by=star_sign&group=leo",
        "measure=completion&by=clinic&group=C1",
        "measure=completion&by=language&group=en",  # one patient: hidden
        "measure=completion&by=language&group=fr",
    ],
)
def test_a_list_that_there_is_not_is_not_found(
    sessions: Sessions, client: FlaskClient, asked: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    assert client.get(f"/reports/adherence/patients?{asked}").status_code == 404
