"""The monthly question: one's own, and what managers see of the group and of nobody."""

import re
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.pulse import asking, jobs, monthly, supporting
from outreach.pulse.models import PulseAnswer
from outreach.pulse.rules import Group
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

THIS_MONTH, LAST_MONTH = date(2026, 11, 1), date(2026, 10, 1)
TODAY = date(2026, 11, 23)
AT = datetime(2026, 10, 20, 15, tzinfo=UTC)


def page_text(answer: TestResponse) -> str:
    """Return the words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


class House:
    """A clinic with six callers and a manager, and a manager of elsewhere."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.other: Clinic = make_clinic(session)
            self.callers: list[StaffMember] = [
                make_staff(session, self.clinic, password_hash=HASH) for _each in range(6)
            ]
            self.manager = make_staff(session, self.clinic, Role.MANAGER, password_hash=HASH)
            self.stranger = make_staff(session, self.other, Role.MANAGER, password_hash=HASH)
            self.administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


def tell(sessions: Sessions, callers: list[StaffMember], month: date, *answers: int) -> None:
    with sessions.begin() as session:
        for caller, answer in zip(callers, answers, strict=False):
            asking.keep(session, caller.id, month, answer, now=AT)


def groups(sessions: Sessions, clinic: Clinic) -> list[Group]:
    with sessions() as session:
        return list(monthly.of_clinic(session, clinic.id, TODAY, least=5, burnout_from=3))


def test_a_caller_is_asked_once_a_month_and_answers_for_themselves(
    client: FlaskClient, house: House, sessions: Sessions, clock: FakeClock
) -> None:
    sign_in(client, house.callers[0])
    assert "How are you?</a></p>" in client.get("/queue/").text

    answer = client.post(
        "/pulse/", data={"answer": "4", "month": THIS_MONTH.isoformat()}, follow_redirects=True
    )

    assert "Kept, for you alone" in answer.text
    assert "4. The symptoms of burnout" in page_text(answer)
    assert "How are you?</a></p>" not in client.get("/queue/").text
    client.post("/pulse/", data={"answer": "2", "month": THIS_MONTH.isoformat()})
    with sessions() as session:
        (kept,) = session.scalars(select(PulseAnswer))
        assert (kept.month, kept.answer) == (THIS_MONTH, "2")
        assert (
            session.scalars(
                select(AuditEvent.action).where(AuditEvent.action.ilike("%pulse%"))
            ).all()
            == []
        )
    clock.now = datetime(2026, 12, 1, 14, tzinfo=UTC)
    sign_in(client, house.callers[0])
    assert "How are you?</a></p>" in client.get("/queue/").text


def test_an_answer_lies_encrypted(house: House, sessions: Sessions, engine: Engine) -> None:
    tell(sessions, house.callers, LAST_MONTH, 5)

    with engine.connect() as connection:
        lies = connection.exec_driver_sql("SELECT answer FROM pulse_answer").scalar_one()

    assert len(lies) > 20
    assert not lies.isdigit()


def test_whoever_does_not_want_to_is_not_asked_again_and_may_still(
    client: FlaskClient, house: House, sessions: Sessions
) -> None:
    sign_in(client, house.callers[0])

    client.post("/pulse/not-this-month")

    assert "How are you?</a></p>" not in client.get("/queue/").text
    client.get("/sign-out")
    sign_in(client, house.callers[0])
    assert "How are you?</a></p>" not in client.get("/queue/").text
    client.post("/pulse/", data={"answer": "3", "month": THIS_MONTH.isoformat()})
    client.post("/pulse/not-this-month")  # from a page that lay open: takes nothing back
    with sessions() as session:
        assert session.scalars(select(PulseAnswer.answer)).all() == ["3"]


@pytest.mark.parametrize("typed", ["", "0", "6", "x"])
def test_what_is_no_answer_is_not_kept(
    client: FlaskClient, house: House, sessions: Sessions, typed: str
) -> None:
    sign_in(client, house.callers[0])

    assert (
        client.post("/pulse/", data={"answer": typed, "month": THIS_MONTH.isoformat()}).status_code
        == 422
    )

    with sessions() as session:
        assert session.scalars(select(PulseAnswer)).all() == []


def test_what_was_meant_for_last_month_is_not_kept_for_this_one(
    client: FlaskClient, house: House, sessions: Sessions
) -> None:
    sign_in(client, house.callers[0])

    answer = client.post(
        "/pulse/", data={"answer": "4", "month": LAST_MONTH.isoformat()}, follow_redirects=True
    )

    assert "A new month has begun since" in answer.text
    with sessions() as session:
        assert session.scalars(select(PulseAnswer)).all() == []


def test_of_four_nothing_is_told_and_of_five_how_many(house: House, sessions: Sessions) -> None:
    tell(sessions, house.callers, LAST_MONTH, 3, 4, 5, 1)
    tell(sessions, house.callers, date(2026, 9, 1), 3, 4, 5, 1, 2)

    assert groups(sessions, house.clinic)[:2] == [
        Group(LAST_MONTH, 6, None, None),
        Group(date(2026, 9, 1), 6, 5, 3),
    ]


def test_a_month_that_goes_on_is_not_told_of(house: House, sessions: Sessions) -> None:
    tell(sessions, house.callers, THIS_MONTH, 3, 4, 5, 1, 2, 2)

    assert groups(sessions, house.clinic) == []


def test_who_did_not_want_to_answer_counts_as_asked_only(house: House, sessions: Sessions) -> None:
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 3)
    with sessions.begin() as session:
        asking.keep(session, house.callers[5].id, LAST_MONTH, None, now=AT)

    assert groups(sessions, house.clinic) == [Group(LAST_MONTH, 6, 5, 1)]


def test_callers_of_other_clinics_are_not_among_them(house: House, sessions: Sessions) -> None:
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 3)

    assert groups(sessions, house.other) == []


def test_two_groups_never_differ_by_one_person(house: House, sessions: Sessions) -> None:
    """Who calls for both clinics counts at the first: elsewhere they are in no figure."""
    with sessions.begin() as session:
        for caller in house.callers[:5]:
            session.add(
                Membership(
                    staff_id=caller.id,
                    clinic_id=house.other.id,
                    role=Role.CALLER,
                    from_on=date(2026, 1, 5),
                )
            )
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 1, 3)

    assert groups(sessions, house.clinic) == [Group(LAST_MONTH, 6, 6, 1)]
    assert [each.answered for each in groups(sessions, house.other)] == [None]


def test_a_manager_who_calls_can_take_no_answer_of_their_own_away(
    house: House, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.add(
            Membership(
                staff_id=house.callers[0].id,
                clinic_id=house.clinic.id,
                role=Role.MANAGER,
                from_on=date(2026, 1, 5),
            )
        )
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 1)

    assert groups(sessions, house.clinic) == [Group(LAST_MONTH, 5, None, None)]


@pytest.mark.parametrize(("today", "is_told"), [(date(2026, 11, 2), False), (TODAY, True)])
def test_a_month_is_told_of_when_it_is_over_everywhere_on_earth(
    house: House, sessions: Sessions, today: date, *, is_told: bool
) -> None:
    tell(sessions, house.callers, LAST_MONTH, 1, 1, 1, 1, 1)

    with sessions() as session:
        found = monthly.of_clinic(session, house.clinic.id, today, least=5, burnout_from=3)

    assert (LAST_MONTH in [each.month for each in found]) is is_told


def test_the_report_shows_managers_a_share_and_administrators_nothing(
    client: FlaskClient, house: House, sessions: Sessions
) -> None:
    tell(sessions, house.callers, LAST_MONTH, 3, 4, 5, 1, 2)
    tell(sessions, house.callers, date(2026, 9, 1), 3, 4, 5, 1)
    sign_in(client, house.manager)

    page = page_text(client.get(f"/reports/adherence?clinic={house.clinic.code}"))

    assert "October 2026 60% 3 of 5 83% 5 of 6" in page
    assert "September 2026 fewer than 5 answered: not shown" in page
    earlier = client.get(f"/reports/adherence?clinic={house.clinic.code}&as_of=2026-11-20")
    assert "October 2026" not in page_text(earlier)
    sign_in(client, house.administrator)
    seen = client.get(f"/reports/adherence?clinic={house.clinic.code}")
    assert "How the team is" not in seen.text


def test_all_or_all_but_one_is_told_as_one(
    client: FlaskClient, house: House, sessions: Sessions
) -> None:
    tell(sessions, house.callers, LAST_MONTH, 3, 4, 5, 3, 2)
    sign_in(client, house.manager)

    page = page_text(client.get(f"/reports/adherence?clinic={house.clinic.code}"))

    assert "October 2026 4 or 5 of 5 83% 5 of 6" in page


def test_what_was_answered_long_ago_is_deleted(
    house: House, sessions: Sessions, clock: FakeClock
) -> None:
    tell(sessions, house.callers, date(2025, 9, 1), 3)
    tell(sessions, house.callers, date(2025, 10, 1), 4)

    with sessions.begin() as session:
        supporting.ask(session, house.callers[0].id, now=datetime(2025, 9, 30, tzinfo=UTC))
        supporting.ask(session, house.callers[1].id, now=datetime(2025, 10, 1, tzinfo=UTC))

    assert jobs.forget_answers(sessions, clock) == 2

    with sessions() as session:
        assert session.scalars(select(PulseAnswer.month)).all() == [date(2025, 10, 1)]


def test_the_page_is_for_callers_only(client: FlaskClient, house: House) -> None:
    sign_in(client, house.manager)

    assert client.get("/pulse/").status_code == 404
