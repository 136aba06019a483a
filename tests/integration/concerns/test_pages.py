"""Nurses work concerns until they are closed; others read, or find nothing."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.concerns import raising
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernStatus, StepKind
from outreach.orm import Sessions
from outreach.welfare.models import EmergencyContact
from tests.builders import actor_of, make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW


@dataclass
class Worry:
    """A concern that a caller raised, with the people around it."""

    sessions: Sessions
    clinic: Clinic
    caller: StaffMember
    nurse: StaffMember
    concern_id: int

    @property
    def path(self) -> str:
        return f"/concerns/{self.concern_id}"

    def now(self) -> tuple[Concern, list[tuple[StepKind, str, int | None]]]:
        """Return the concern as stored, and its steps in order."""
        with self.sessions() as session:
            concern = session.get_one(Concern, self.concern_id)
            steps = session.scalars(
                select(ConcernStep)
                .where(ConcernStep.concern_id == self.concern_id)
                .order_by(ConcernStep.id)
            )
            return concern, [(step.kind, step.note, step.by_staff_id) for step in steps]


@pytest.fixture
def worry(sessions: Sessions) -> Worry:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
        patient = make_patient(session, clinic, given_name="Lena", family_name="Ortiz")
        make_enrolment(session, patient, caller=caller)
        raised = raising.safety("She sounded very low.")
        concern = raising.raise_concern(session, patient, raised, by_staff_id=caller.id, now=NOW)
        return Worry(sessions, clinic, caller, nurse, concern.id)


def test_whom_the_patient_named_to_ring_in_need_stands_with_the_concern(
    worry: Worry, client: FlaskClient
) -> None:
    sign_in(client, worry.nurse)
    assert "In need, ring" not in client.get(worry.path).text
    with worry.sessions.begin() as session:
        concern = session.get_one(Concern, worry.concern_id)
        session.add(
            EmergencyContact(
                clinic_id=concern.clinic_id,
                patient_id=concern.patient_id,
                name="Ines Ortiz",
                relation="sister",
                e164="+15125550177",
                is_agreed=True,
                at=NOW,
                by_staff_id=worry.nurse.id,
            )
        )

    page = client.get(worry.path).text

    assert "Ines Ortiz, sister" in page
    assert "tel:+15125550177" in page


def test_a_nurse_takes_on_notes_and_closes_with_words(worry: Worry, client: FlaskClient) -> None:
    nurse = worry.nurse.id
    sign_in(client, worry.nurse)
    assert "Lena Ortiz" in client.get("/concerns/").text
    assert "She sounded very low." in client.get(worry.path).text

    taken = client.post(f"{worry.path}/acknowledge")
    noted = client.post(worry.path, data={"note": "Rang twice.", "keep": "1"})
    open_still, _steps = worry.now()
    closed = client.post(worry.path, data={"note": "Spoke with her; safe.", "close": "1"})

    assert [taken.status_code, noted.status_code, closed.status_code] == [302, 302, 302]
    assert open_still.status is ConcernStatus.ACKNOWLEDGED
    concern, steps = worry.now()
    assert concern.status is ConcernStatus.CLOSED
    assert (concern.acknowledged_at, concern.closed_at) == (NOW, NOW)
    assert steps == [
        (StepKind.RAISED, "She sounded very low.", worry.caller.id),
        (StepKind.ACKNOWLEDGED, "", nurse),
        (StepKind.NOTED, "Rang twice.", nurse),
        (StepKind.CLOSED, "Spoke with her; safe.", nurse),
    ]
    with worry.sessions() as session:
        done = select(AuditEvent.action).where(AuditEvent.actor_id == nurse)
        assert {"took on a concern", "noted on a concern", "closed a concern"} <= set(
            session.scalars(done)
        )


def test_taking_on_twice_is_one_step(worry: Worry, client: FlaskClient) -> None:
    sign_in(client, worry.nurse)

    for _ in range(2):
        assert client.post(f"{worry.path}/acknowledge").status_code == 302

    assert [kind for kind, _, _ in worry.now()[1]] == [StepKind.RAISED, StepKind.ACKNOWLEDGED]


@pytest.mark.parametrize("note", ["", "   ", "\n\t", "x" * 4001])
@pytest.mark.parametrize("button", ["close", "keep"])
def test_without_fitting_words_nothing_changes(
    worry: Worry, client: FlaskClient, note: str, button: str
) -> None:
    sign_in(client, worry.nurse)
    before = len(worry.now()[1])

    answer = client.post(worry.path, data={"note": note, button: "1"})

    assert answer.status_code == 422
    assert "field__error" in answer.text
    assert note.strip() in answer.text
    concern, steps = worry.now()
    assert concern.status is ConcernStatus.OPEN
    assert len(steps) == before


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("", {"note": "Me too.", "close": "1"}),
        ("", {"note": "One more thing.", "keep": "1"}),
        ("/acknowledge", {}),
    ],
)
def test_who_comes_second_is_told_that_it_is_closed(
    worry: Worry, client: FlaskClient, path: str, data: dict[str, str]
) -> None:
    sign_in(client, worry.nurse)
    client.post(worry.path, data={"note": "Safe.", "close": "1"})
    before = worry.now()[1]

    answer = client.post(worry.path + path, data=data)

    assert answer.status_code == 409
    assert "closed this concern already" in answer.text
    assert worry.now()[1] == before


def test_a_manager_reads_and_may_not_act(worry: Worry, client: FlaskClient) -> None:
    with worry.sessions.begin() as session:
        manager = make_staff(session, worry.clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    pages = [client.get("/concerns/"), client.get(worry.path)]

    assert all(page.status_code == 200 for page in pages)
    assert all("Lena Ortiz" in page.text for page in pages)
    acts = ("Take on", "Take this on", "Save and close")
    assert not any(act in page.text for page in pages for act in acts)
    assert client.post(f"{worry.path}/acknowledge").status_code in (403, 404)
    assert client.post(worry.path, data={"note": "x", "close": "1"}).status_code in (403, 404)
    concern, steps = worry.now()
    assert concern.status is ConcernStatus.OPEN
    assert len(steps) == 1


def test_a_caller_finds_no_concerns_even_of_their_own_patients(
    worry: Worry, client: FlaskClient
) -> None:
    sign_in(client, worry.caller)

    assert [client.get(path).status_code for path in ("/concerns/", worry.path)] == [404, 404]
    assert client.post(f"{worry.path}/acknowledge").status_code == 404
    assert client.post(worry.path, data={"note": "x", "close": "1"}).status_code == 404


@pytest.mark.parametrize("role", [Role.NURSE, Role.MANAGER])
def test_a_concern_of_another_clinic_does_not_exist(
    worry: Worry, client: FlaskClient, role: Role
) -> None:
    with worry.sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session), role, password_hash=HASH)
    sign_in(client, stranger)

    assert "Lena Ortiz" not in client.get("/concerns/").text
    assert client.get(worry.path).status_code == 404
    assert client.post(f"{worry.path}/acknowledge").status_code == 404
    assert client.post(worry.path, data={"note": "x", "close": "1"}).status_code == 404
    assert worry.now()[0].status is ConcernStatus.OPEN


def test_of_two_nurses_who_close_at_once_one_is_told(worry: Worry) -> None:
    scope = actor_of(worry.nurse, worry.clinic, Role.NURSE).scope
    told: list[Exception] = []

    def close(words: str, *, after_reading: Callable[[], None] = lambda: None) -> None:
        try:
            with worry.sessions.begin() as session:
                concern = raising.by_id(session, scope, worry.concern_id)
                after_reading()
                raising.close(session, concern, words, by_staff_id=worry.nurse.id, now=NOW)
        except raising.AlreadyClosed as error:
            told.append(error)

    other = threading.Thread(target=close, args=["Safe, too."])

    def let_the_other_one_in() -> None:
        other.start()
        time.sleep(0.3)  # long enough for the other one to close it, where nothing is locked

    close("Safe.", after_reading=let_the_other_one_in)
    other.join()

    assert len(told) == 1
    assert [kind for kind, _, _ in worry.now()[1]] == [StepKind.RAISED, StepKind.CLOSED]
