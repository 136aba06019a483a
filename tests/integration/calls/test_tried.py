"""The text "we tried to reach you": offered with its words, written once, taken back."""

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.calls import correcting, outcomes, tried
from outreach.calls.correcting import Amended
from outreach.calls.ending import Afterwards
from outreach.calls.models import Attempt
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.messaging import claiming
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import ConsentSource, ConsentTopic
from outreach.planning import next_call
from tests.builders import actor_of
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.calls.conftest import Day

NOW = MONDAY_10_CHICAGO
NUMBER = "+15125550147"
TELLS = Afterwards(tells_missed=True)


class Trying:
    """Ana, who did not get through to Rosa, who agreed to such texts."""

    def __init__(self, session: Session, day: Day) -> None:
        self.session, self.day = session, day
        self.ana, self.rosa = actor_of(day.ana, day.clinic), session.merge(day.rosa)
        self.agree(ConsentTopic.MISSED_NOTES)

    def agree(self, *topics: ConsentTopic) -> None:
        consent.agree(
            self.session, self.rosa, NUMBER, frozenset(topics),
            source=ConsentSource.CALL, by_staff_id=None, now=NOW - timedelta(days=1),
        )  # fmt: skip

    def record(
        self, outcome: Outcome = Outcome.NO_ANSWER, *, at: datetime = NOW, key: str = "one",
        afterwards: Afterwards = TELLS,
    ) -> Attempt:  # fmt: skip
        call = next_call.open_call(self.session, self.day.call.enrolment_id)
        assert call is not None
        report = CallReport(key, outcome, minutes=0, afterwards=afterwards)
        return outcomes.record(self.session, self.rosa, call.id, report, actor=self.ana, now=at)

    def why_not(self, *, at: datetime = NOW) -> SkipReason | None:
        """Return why there is none, as Save asks it: the page, which knows more, agrees."""
        found = tried.offer_of(self.session, self.rosa, self.ana, now=at)
        agreed = consent.of_numbers(self.session, self.rosa.id)
        assert tried.offer_of(self.session, self.rosa, self.ana, now=at, agreed=agreed) == found
        return found.why_not

    def texts(self) -> list[Message]:
        self.session.flush()
        self.session.expire_all()
        query = select(Message).where(Message.kind == MessageKind.MISSED_YOU).order_by(Message.id)
        return list(self.session.scalars(query))


@pytest.fixture
def trying(session: Session, day: Day) -> Trying:
    return Trying(session, day)


def test_it_goes_out_in_the_words_that_were_shown(trying: Trying) -> None:
    offer = tried.offer_of(trying.session, trying.rosa, trying.ana, now=NOW)
    attempt = trying.record()

    (text,) = trying.texts()
    assert text.body == offer.body
    assert trying.rosa.given_name not in text.body
    assert (text.to_number, text.dedupe_key) == (NUMBER, f"missed_you:{attempt.id}")
    assert [each.sms.reference for each in claiming.claim(trying.session, now=NOW).texts] == [
        text.id
    ]


def test_saving_twice_makes_one(trying: Trying) -> None:
    trying.record()
    trying.record()

    assert len(trying.texts()) == 1


def test_a_second_try_that_day_makes_no_second_text(trying: Trying) -> None:
    trying.record(key="one")
    assert trying.why_not() is SkipReason.DAY_LIMIT  # the first still waits
    claiming.claim(trying.session, now=NOW)
    later = NOW + timedelta(hours=4)
    assert trying.why_not(at=later) is SkipReason.DAY_LIMIT

    trying.record(key="two", at=later)

    assert len(trying.texts()) == 1


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - tried.NOBODY_THERE - {Outcome.CALL_BACK}))
def test_no_other_outcome_sends_one(trying: Trying, outcome: Outcome) -> None:
    trying.record(outcome)

    assert trying.texts() == []


def test_nobody_gets_it_who_did_not_agree_to_just_this(trying: Trying) -> None:
    trying.agree(ConsentTopic.REMINDERS)
    assert trying.why_not() is SkipReason.NO_CONSENT

    trying.record()

    assert trying.texts() == []


def test_who_wants_no_more_texts_gets_none_of_this_call_either(trying: Trying) -> None:
    trying.record(afterwards=Afterwards(tells_missed=True, ends_texts=True))

    assert trying.texts() == []


def test_a_number_that_takes_no_texts_gets_none(trying: Trying) -> None:
    trying.session.scalars(select(PhoneNumber)).one().can_text = False

    assert trying.why_not() is SkipReason.NUMBER_UNFIT


def test_late_in_the_evening_there_is_none(trying: Trying) -> None:
    assert trying.why_not(at=NOW + timedelta(hours=11)) is SkipReason.TOO_LATE


def test_it_never_goes_out_on_another_day(trying: Trying) -> None:
    trying.record()
    assert claiming.claim(trying.session, now=NOW + timedelta(days=1)).texts == []
    assert trying.texts()[0].skip_reason is SkipReason.TOO_LATE


def test_an_undo_drops_it_and_the_next_record_may_send_another(trying: Trying) -> None:
    attempt = trying.record()
    correcting.take_back(trying.session, trying.rosa, attempt, actor=trying.ana, now=NOW)
    assert trying.texts()[0].skip_reason is SkipReason.TAKEN_BACK

    trying.record(key="two")

    assert [text.status for text in trying.texts()] == [
        MessageStatus.SKIPPED,
        MessageStatus.SCHEDULED,
    ]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        pytest.param(Outcome.COMPLETED, MessageStatus.SKIPPED, id="they did talk"),
        pytest.param(Outcome.BUSY, MessageStatus.SCHEDULED, id="nobody there all the same"),
    ],
)
def test_a_correction_drops_it_where_it_is_no_longer_true(
    trying: Trying, outcome: Outcome, status: MessageStatus
) -> None:
    attempt = trying.record()
    amended = Amended(outcome, 5, "", "pressed the wrong one", "amend")
    correcting.amend(trying.session, attempt, amended, actor=trying.ana, now=NOW)

    assert [text.status for text in trying.texts()] == [status]


def test_the_page_shows_the_words_or_says_why_not(
    client: FlaskClient, sessions: Sessions, day: Day
) -> None:
    sign_in(client, day.ana)
    page = client.get(f"/calls/{day.rosa.ref}").text
    assert "they have not agreed to such texts" in page
    assert 'name="tells_missed"' not in page
    with sessions.begin() as session:
        Trying(session, day)

    page = client.get(f"/calls/{day.rosa.ref}").text

    assert "tried to call you today" in page
    assert 'id="tells_missed" name="tells_missed" type="checkbox"' in page
    ticked = page.split('name="tells_missed"')[0].rsplit("<", 1)[1]
    assert "checked" not in ticked


def test_saving_says_whether_the_text_goes_out(
    client: FlaskClient, sessions: Sessions, day: Day
) -> None:
    with sessions.begin() as session:
        Trying(session, day)
    sign_in(client, day.ana)
    form = day.form(reached="no", outcome="no_answer", tells_missed="y")

    answer = client.post(f"/calls/{day.rosa.ref}", data=form, follow_redirects=True)

    assert "The text goes out." in answer.text
    with sessions() as session:
        assert session.scalars(select(Message)).one().kind is MessageKind.MISSED_YOU
