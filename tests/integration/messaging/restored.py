"""A database as an older backup has it, and texts that only the carrier knows of."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from outreach.clock import Clock
from outreach.messaging import holding
from outreach.messaging.models import InboundText, Message, SendTry, UnrecordedText
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource, ConsentTopic
from outreach.wordings import keeping
from outreach.wordings.rules import KINDS, TextName, filled
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import NUMBER, make_message, make_reminder

WORDS = "Take your time. Tuesday at 3 is fine."


def make_text_in(sessions: Sessions, at: datetime, name: str = "SMin") -> int:
    """Let the patient write to us; return the id of what they wrote."""
    with sessions.begin() as session:
        text = InboundText(
            clinic_id=session.scalars(select(Patient.clinic_id)).one(),
            provider_id=name,
            from_number=NUMBER,
            to_number="+15125550100",
            body="Can we talk on Tuesday?",
            attachments=0,
            received_at=at,
            open_until=at,
            answered_at=at,
        )
        session.add(text)
        session.flush()
        return text.id


def wait_to_go(sessions: Sessions, clock: FakeClock, **deviations: object) -> int:
    """Put a text into the outbox, to be sent at once."""
    with sessions.begin() as session:
        patient = session.scalars(select(Patient)).one()
        options: dict[str, object] = {
            "status": MessageStatus.SCHEDULED,
            "provider_id": None,
            "send_after": clock(),
            "created_at": clock(),
            "tries": 0,
        }
        return make_message(session, patient, **(options | deviations)).id


def make_nobody_texted(sessions: Sessions, clock: FakeClock) -> None:
    """A patient who agreed to texts, and no text."""
    make_reminder(sessions, clock)
    with sessions.begin() as session:
        session.execute(delete(Message))


def agree_to_measurements(sessions: Sessions, clock: FakeClock) -> None:
    with sessions.begin() as session:
        patient = session.scalars(select(Patient)).one()
        consent.note(
            session,
            patient,
            Channel.SMS,
            NUMBER,
            is_given=True,
            topics=[ConsentTopic.MEASUREMENTS],
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=clock(),
        )


def keep_unrecorded(
    sessions: Sessions, clock: FakeClock, text: str, language: str | None = None
) -> None:
    """Let the carrier's list show a text of an hour ago, ``text`` or what it says in a language."""
    if language is not None:
        name = TextName(text)
        text = filled(keeping.built_in(name, language), KINDS[name].example_in(language))
    with sessions.begin() as session:
        session.add(
            UnrecordedText(
                provider_id="SMother",
                to_number=NUMBER,
                body=text,
                sent_at=clock() - timedelta(hours=1),
            )
        )


def forget(sessions: Sessions, message_id: int) -> None:
    """Let a text be younger than the backup: no row tells of it any more."""
    with sessions.begin() as session:
        session.execute(delete(SendTry).where(SendTry.message_id == message_id))
        session.execute(delete(Message).where(Message.id == message_id))


def restore(sessions: Sessions, clock: FakeClock) -> None:
    """Let the text that was just sent wait again, as in a backup of before."""
    with sessions.begin() as session:
        for message in session.scalars(select(Message)):
            message.status, message.calling_at = MessageStatus.SCHEDULED, None
            message.provider_id, message.accepted_at, message.tries = None, None, 0
        holding.close(session, since=clock() - timedelta(hours=1), now=clock())


def reconcile(sessions: Sessions, gateway: FakeGateway, clock: Clock) -> int:
    with sessions.begin() as session:
        hold = holding.current(session)
        assert hold is not None
        return holding.reconcile(session, gateway.list_sms(since=hold.since), now=clock())
