"""Rows of what happened to one patient of the demo: calls, notes, promises, texts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from outreach.calls.models import Attempt, CallNote, Promise
from outreach.concerns.rules import ConcernKind
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.planning.models import PlannedCall
from outreach.planning.next_call import cause_of
from scripts.demo import texts, words
from scripts.demo.luck import change_of_caller_at
from scripts.demo.people import DemoStaff, Person
from scripts.demo.record import House, Ids
from scripts.demo.story import Call, Dial, Story
from scripts.demo.telling import Teller
from scripts.demo.texts import ERROR_CODES, Text
from scripts.demo.worries import VERY_LOW, Worry


@dataclass
class Chronicle:
    """Writes down one patient's calls, and remembers the ids of what was written."""

    house: House
    rng: Random
    person: Person
    story: Story
    ids: Ids
    worries: dict[Dial, Worry]
    attempt_ids: dict[Dial, int] = field(default_factory=dict)
    _call_ids: dict[int, int] = field(default_factory=dict)

    def write(self, *, now: datetime) -> None:
        """Add every call with its tries, notes and promises, and the texts that went out."""
        teller = Teller(self.person, self.rng)
        has_talked = False
        for call in self.story.calls:
            self._call_ids[call.sequence] = self._call(call)
            for dial in call.dials:
                self._attempt(call, dial)
                if dial.outcome.is_reached:
                    self._note(dial, self._words(teller, dial, is_first=not has_talked))
                has_talked = has_talked or dial.outcome.completes
        self._promises(teller, now=now)
        for text in texts.of(self.rng, self.person, self.story, now=now):
            self._text(text)

    def _call(self, call: Call) -> int:
        return self.house.rows.add(
            PlannedCall,
            **self.ids.owned,
            enrolment_id=self.ids.enrolment,
            sequence=call.sequence,
            phase=call.due.phase,
            due_on=call.due.on,
            complete_by_on=call.due.complete_by_on,
            dial_from_at=call.slot.from_at,
            dial_until_at=call.slot.until_at,
            is_agreed=call.is_agreed,
            dials=len(call.dials),
            status=call.status,
            planned_at=call.planned_at,
            closed_at=call.closed_at,
            version_id=self.house.version_id,
        )

    def _attempt(self, call: Call, dial: Dial) -> None:
        self.attempt_ids[dial] = self.house.rows.add(
            Attempt,
            form_key=f"{self.rng.getrandbits(128):032x}",
            **self.ids.owned,
            enrolment_id=self.ids.enrolment,
            planned_call_id=self._call_ids[call.sequence],
            caller_id=self.house.staff_id(dial.caller),
            is_primary_caller=dial.caller is self._primary_at(dial.at),
            at=dial.at,
            minutes=dial.minutes,
            outcome=dial.outcome,
        )

    def _primary_at(self, at: datetime) -> DemoStaff | None:
        earlier = self.person.earlier_caller
        return earlier if earlier and at < change_of_caller_at(self.person) else self.person.caller

    def _words(self, teller: Teller, dial: Dial, *, is_first: bool) -> str:
        note = teller.note(dial, is_first=is_first)
        worry = self.worries.get(dial)
        if worry is None or worry.reading is None:
            return note
        value = worry.reading.value
        if value == VERY_LOW:
            return words.VERY_LOW_NOTE
        is_low = worry.trigger.kind is ConcernKind.GLUCOSE_LOW
        told = words.LOW_NOTE if is_low else words.HIGH_NOTE
        return f"{told.format(value=value)} {note}"

    def _note(self, dial: Dial, text: str) -> None:
        self.house.rows.add(
            CallNote,
            **self.ids.owned,
            attempt_id=self.attempt_ids[dial],
            by_staff_id=self.house.staff_id(dial.caller),
            text=text,
            at=dial.over_at,
        )

    def _promises(self, teller: Teller, *, now: datetime) -> None:
        for promise in teller.promises(self.story, today=self.person.local_day(now)):
            keeper = promise.kept_by
            self.house.rows.add(
                Promise,
                **self.ids.owned,
                attempt_id=self.attempt_ids[promise.made],
                by_staff_id=self.house.staff_id(promise.made.caller),
                text=promise.text,
                due_on=promise.due_on,
                made_at=promise.made.over_at,
                kept_at=promise.kept_at,
                kept_by_id=self.house.staff_id(keeper) if keeper else None,
            )

    def _text(self, text: Text) -> None:
        call_id = self._call_ids[text.call.sequence]
        begins_at = text.call.first_slot.from_at
        day = self.person.local_day(begins_at)
        message_id = self.house.rows.add(
            Message,
            **self.ids.owned,
            kind=MessageKind.REMINDER,
            dedupe_key=f"reminder:{call_id}:{day.isoformat()}",
            cause=cause_of(call_id),
            to_number=self.person.phones[0],
            language=self.person.language,
            body=text.body,
            status=text.status,
            skip_reason=None,
            failure=str(ERROR_CODES.get(text.status, "")),
            send_after=text.at,
            expires_at=begins_at,
            lease_until=None,
            calling_at=text.at,
            accepted_at=text.at + timedelta(seconds=1),
            tries=1,
            provider_id=f"SM{self.rng.getrandbits(128):032x}",
            created_at=text.at - timedelta(seconds=1),
        )
        for status in (MessageStatus.SENT, text.status):
            self.house.rows.add(
                DeliveryEvent,
                message_id=message_id,
                status=status.value,
                error_code=ERROR_CODES.get(status),
                received_at=text.reported_at
                if status is text.status
                else text.at + timedelta(seconds=2),
            )
