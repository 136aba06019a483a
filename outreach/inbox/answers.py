"""What we answer by ourselves: words in the patient's language, a row of the outbox each.

Why rows and not TwiML, and what goes out to whom: docs/decisions/0012.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from sqlalchemy.orm import Session

from outreach import sealing
from outreach.accounts.models import Clinic
from outreach.clock import local_day
from outreach.concerns import cards
from outreach.inbox.rules import REPLY_WITHIN, STOP_REPLY_WITHIN
from outreach.messaging import conversation, outbox
from outreach.messaging.models import InboundText
from outreach.messaging.rules import MessageKind
from outreach.messaging.templates import in_gsm7
from outreach.patients.rules import Slot
from outreach.web import phones
from outreach.wordings import keeping
from outreach.wordings.rules import TextName, filled, known_language

_LOCALES = {"en": "en_US", "es": "es_US", "pt": "pt_BR"}
_DAYS = {"en": "EEE MMM d", "es": "EEE d MMM", "pt": "EEE d MMM"}
# Short codes and names are machines, which would answer our answer.
_IS_A_PERSONS = re.compile(r"\+[1-9][0-9]{6,14}")
# One answer to a number in that time, however often somebody writes of danger.
_DANGER_EVERY = timedelta(minutes=10)
# Keys of these hold a keyed hash of the number, at that place, behind the clinic's id.
THANKS, DANGER = HASHED = ("thanks", "danger")
KEY_PLACE = "dedupe_key"


def reply(
    session: Session,
    inbound: InboundText,
    kind: MessageKind,
    *,
    language: str,
    now: datetime,
    words: TextName | None = None,
    values: Mapping[str, str] | None = None,
    patient_id: int | None = None,
) -> bool:
    """Answer a text, once; say whether there was no such answer before. Does not commit.

    Args:
        language: of the patient, or FALLBACK where the number is several people's.
        words: which text, where a kind has several, else the kind's own.
        values: what the text names besides the clinic and its numbers.
    """
    if not _IS_A_PERSONS.fullmatch(inbound.from_number):
        return False
    clinic = session.get_one(Clinic, inbound.clinic_id)
    card = cards.of(session, clinic.id, language)
    said = keeping.book_of(session, clinic_ids=[clinic.id]).of(
        clinic.id, words or TextName(kind.value), language
    )
    body = filled(
        said.body,
        {
            "clinic": clinic.name[:28],
            "phone": phones.as_written(clinic.phone_number),
            "emergency": card.emergency,
            "lifeline": card.lifeline,
            **(values or {}),
        },
    )
    within = STOP_REPLY_WITHIN if kind is MessageKind.STOP_REPLY else REPLY_WITHIN
    row = conversation.new_reply(
        inbound,
        kind,
        body,
        language=language,
        dedupe_key=_key(inbound, kind, ZoneInfo(clinic.zone), now=now),
        window=(now, now + within),
        now=now,
        patient_id=patient_id,
        wording_id=said.wording_id,
    )
    return bool(outbox.write(session, [row]))


def moment(at: datetime, zone: ZoneInfo, language: str) -> str:
    """Return 'Tue Dec 1 10 am': when, on the patient's own clock."""
    known = known_language(language)
    local, locale = at.astimezone(zone), _LOCALES[known]
    pattern = "h a" if local.minute == 0 and known == "en" else "short"
    clock = format_time(local.time(), pattern, locale=locale).replace("\u202f", " ")
    return f"{_day(local.date(), known)} {clock}".replace(".", "")


def _day(day: date, known: str) -> str:
    return in_gsm7(format_date(day, _DAYS[known], locale=_LOCALES[known]))


def span(slot: Slot, zone: ZoneInfo, language: str, *, is_agreed: bool) -> str:
    """Return when a call is: its time, or between which times of the day."""
    begins = moment(slot.from_at, zone, language)
    if is_agreed:
        return begins
    ends = moment(slot.until_at, zone, language)
    day = _day(slot.from_at.astimezone(zone).date(), known_language(language))
    return f"{begins} - {ends.removeprefix(day).strip()}"


def numbered(slots: Sequence[Slot], zone: ZoneInfo, language: str) -> str:
    """Return '1) Tue Dec 1 10 am 2) ...'."""
    return " ".join(
        f"{number}) {moment(slot.from_at, zone, language)}" for number, slot in enumerate(slots, 1)
    )


def _key(inbound: InboundText, kind: MessageKind, zone: ZoneInfo, *, now: datetime) -> str:
    """Return the key under which a second answer is impossible."""
    number = sealing.keyed_hash(inbound.from_number, place=KEY_PLACE)
    whom = f"{inbound.clinic_id}:{number}"
    if kind is MessageKind.NOT_UNDERSTOOD_REPLY:
        return f"{THANKS}:{whom}:{local_day(now, zone)}"
    if kind is MessageKind.DANGER_REPLY:
        return f"{DANGER}:{whom}:{int(now.timestamp() // _DANGER_EVERY.total_seconds())}"
    return f"reply:{inbound.id}:{kind}"
