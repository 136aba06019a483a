"""The watch over all tests would see a person in what is logged, wherever that is said."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import ROOT
from outreach.accounts.models import Clinic, StaffMember
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_clinic, make_goal, make_patient, make_staff
from tests.conftest import sign_in
from tests.integration.intake.test_pages import choose
from tests.log_watch import tells_of_somebody, watch
from tests.unit.intake.builders import a_row, a_table

log = logging.getLogger("outreach.anything")
GOAL = "Dance at the wedding of José's daughter"


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """These tests log about people: the watch forgets it before the next test is judged."""
    yield
    watch.begin()


@pytest.mark.parametrize(
    "line",
    ["sent to +15125550147", "ring (512) 555-0147", "Rosa asked", "ana@clinic.example signed in"],
)
def test_it_sees_people(line: str, sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_patient(session, make_clinic(session))

    assert watch.tells(line)
    assert not watch.tells("message 12: OutcomeUnknown (20 s)")


@pytest.fixture
def imported(client: FlaskClient, clinic: Clinic, manager: StaffMember) -> None:
    sign_in(client, manager)
    who = a_row(given_name="Zebedee", family_name="Quillfeather", mrn="ZQ-779")
    assert client.post(choose(client, a_table(who)).location).status_code == 303


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("name", ["Zebedee", "Quillfeather", "ZQ-779"])
def test_it_knows_who_came_in_by_a_file(name: str) -> None:
    with watch.on_purpose() as found:
        log.warning("imported %s", name)

    assert len(found) == 1


def test_it_knows_what_people_said_though_it_was_logged_first(sessions: Sessions) -> None:
    with watch.on_purpose() as found:
        log.warning("goal: %s", GOAL)
        with sessions.begin() as session:
            clinic = make_clinic(session)
            make_goal(
                session, make_patient(session, clinic), make_staff(session, clinic), text=GOAL
            )

    assert len(found) == 1


def test_it_knows_whom_another_process_wrote_and_we_read(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_patient(session, make_clinic(session), family_name="Quillfeather")
    watch.begin()
    with sessions() as session:
        assert session.scalars(select(Patient)).one().family_name == "Quillfeather"

    assert watch.tells("asked Quillfeather")
    assert not watch.tells("asked Quillfeathers")


SAYS = "import sys; print('{}', file=sys.stderr)"


def test_it_reads_what_a_process_says_whose_errors_a_test_takes() -> None:
    with watch.on_purpose() as found:
        words = [sys.executable, "-c", SAYS.format("rang +15125550147")]
        subprocess.run(words, check=True, capture_output=True)

    assert found == ["rang +15125550147"]


def test_it_reads_what_a_process_writes_into_a_file(tmp_path: Path, app: Flask) -> None:
    (tmp_path / "scheduler0.log").write_text("planned 3\ncalled Montemayor\n")

    with watch.on_purpose() as found:
        watch.hear_files(tmp_path)
    (tmp_path / "scheduler0.log").unlink()

    assert found == ["called Montemayor"]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("completed", "call_draft.answers"), ("yes", "call_draft.answers"),
        ("512555", "reading.reason"), ("Ana", "patient.given_name"),
        ("+15125550100", "clinic number"), ("0147", "phone_number.tail"),
    ],
)  # fmt: skip
def test_an_everyday_value_is_no_alarm(value: str, place: str) -> None:
    assert not tells_of_somebody(value, place)


A_TEST_WITH_A_CHILD = """
import subprocess, sys

def test_child():
    subprocess.run([sys.executable, "-c", {says!r}], check=True)
"""


def test_it_fails_a_test_whose_process_shares_our_standard_error(tmp_path: Path) -> None:
    test = tmp_path / "test_child.py"
    test.write_text(A_TEST_WITH_A_CHILD.format(says=SAYS.format("rang +15125550147")))

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "-p", "tests.conftest", str(test)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "1 passed, 1 error" in done.stdout
    assert "somebody is told of" in done.stdout
