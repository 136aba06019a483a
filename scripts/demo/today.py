"""Live through everybody's enrolment, and see that today's parts are really played."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random

from outreach.calls.rules import Outcome
from outreach.patients.rules import is_allowed_at
from outreach.planning.rules import CallStatus, Course, agreed_slot, due_days, next_slot
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from scripts.demo.cast import colleagues_of, enrolled_at
from scripts.demo.history import Walk
from scripts.demo.luck import Diary
from scripts.demo.people import Fate, Part, Person
from scripts.demo.story import Story

_DUE_DAYS_AGO = {Part.BAD_NUMBER: (0, 1, 2)}
_TRIES = 60

Lived = tuple[Person, Story]


def live_all(people: Sequence[Person], *, seed: int, now: datetime) -> list[Lived]:
    """Return everybody with their history, in the order of ``people``."""
    diary: Diary = defaultdict(list)
    parts_first = sorted(people, key=lambda person: person.part is None)
    lived = {}
    for person in parts_first:
        lived[person.number] = _live(person, diary, seed=seed, now=now)
    return [lived[person.number] for person in people]


def _live(person: Person, diary: Diary, *, seed: int, now: datetime) -> Lived:
    if person.caller is None:
        return person, Story()
    if person.part:
        return _play(person, diary, seed=seed, now=now)
    for take in range(_TRIES):
        # Somebody at the very end of the programme may have nothing left to be called for.
        moved = replace(person, starts_on=person.starts_on + timedelta(days=take))
        story, own = _walk(moved, diary, f"{seed}/{person.number}/{take}", now=now)
        if person.fate is not Fate.ACTIVE or story.open_call:
            diary.update(own)
            return moved, story
    raise RuntimeError(f"patient {person.number} of the demo has no open call")


def _play(person: Person, diary: Diary, *, seed: int, now: datetime) -> Lived:
    """Shift the start day by day until the person's part of today comes about."""
    for take in range(_TRIES):
        days = (take + 1) // 2 * (-1 if take % 2 else 1)
        moved = replace(person, starts_on=person.starts_on + timedelta(days=days))
        if not _is_due(moved, now):
            continue
        story, own = _walk(moved, diary, f"{seed}/{person.number}/{take}", now=now)
        if _is_played(moved, story, now):
            diary.update(own)
            if moved.part is Part.AGREED:
                _agree(moved, story, now)
            return moved, story
    # Some hours of some days leave a part no room: then chance has this patient too.
    return _live(replace(person, part=None), diary, seed=seed, now=now)


def _walk(person: Person, diary: Diary, seed: str, *, now: datetime) -> tuple[Story, Diary]:
    own: Diary = defaultdict(list, {day: list(taken) for day, taken in diary.items()})
    walk = Walk(
        person,
        Random(seed),
        enrolled_at=enrolled_at(person, now=now),
        now=now,
        colleagues=colleagues_of(person),
        diary=own,
    )
    story = walk.run()
    if person.stops_on and story.open_call:
        story.open_call.close(CallStatus.CANCELLED, stopped_at(person))
    return story, own


def stopped_at(person: Person) -> datetime:
    """Return when somebody's calls were put on hold, in the afternoon of ``stops_on``."""
    if person.stops_on is None:
        raise ValueError("nothing was put on hold")
    return datetime.combine(person.stops_on, time(15, 10), tzinfo=person.zone)


def _is_due(person: Person, now: datetime) -> bool:
    """Say whether the rules make a contact due on a day that suits the part."""
    today = person.local_day(now)
    days_in = (today - person.starts_on).days
    if not 8 <= days_in <= 165:  # noqa: PLR2004 - past week 1, with calls still to come
        return False
    course = Course(PUBLISHED_PROTOCOL, person.starts_on, person.choices, person.calendar)
    due = {day for day, _phase in due_days(course)}
    wanted = _DUE_DAYS_AGO.get(person.part or Part.NOW, (0,))
    return any(today - timedelta(days=back) in due for back in wanted)


def _is_played(person: Person, story: Story, now: datetime) -> bool:
    """Say whether today's queue will show what the part promises."""
    call, today = story.open_call, person.local_day(now)
    if call is None:
        return False
    todays = [
        dial.outcome
        for each in story.calls
        for dial in each.dials
        if person.local_day(dial.at) == today
    ]
    if person.part in (Part.DONE, Part.WORRYING):
        return todays == [Outcome.COMPLETED]
    if person.part is Part.BAD_NUMBER:
        return bool(call.dials) and call.dials[-1].outcome.spoils_number
    is_open_today = call.due.on <= today <= call.due.complete_by_on
    if person.part is Part.TRIED:
        return is_open_today and todays == [Outcome.NO_ANSWER]
    is_last_day = call.due.complete_by_on == today
    return is_open_today and is_last_day is (person.part is Part.LAST_DAY)


def _agree(person: Person, story: Story, now: datetime) -> None:
    """Let the open call be at a time that was asked for: within the hour, or tomorrow."""
    call = story.open_call
    if call is None:
        return
    calendar, soon = person.calendar, now + timedelta(minutes=50)
    hours, half_an_hour = calendar.lawful(), timedelta(minutes=30)
    if is_allowed_at(now, person.zone, hours) and is_allowed_at(
        soon + half_an_hour, person.zone, hours
    ):
        at = soon.astimezone(person.zone)
        begins = time(at.hour, at.minute // 30 * 30)
    else:
        today = person.local_day(now)
        later = next_slot(calendar, days=(today, today + timedelta(days=7)), not_before=soon)
        if later is None:
            return
        at = later.from_at.astimezone(person.zone)
        begins = time(max(10, min(19, at.hour)), 30)
    call.slot = agreed_slot(calendar, at.date(), begins)
    call.is_agreed = True
