"""What callers wrote down: a note for every talk, and promises to come back to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from outreach.calls.rules import Outcome
from scripts.demo import words
from scripts.demo.people import DemoStaff, Person, chance
from scripts.demo.story import Dial, Story


@dataclass(frozen=True)
class Promised:
    """Something to come back to. ``kept`` is the call on which it was."""

    text: str
    due_on: date | None
    made: Dial
    kept: Dial | None

    @property
    def kept_at(self) -> datetime | None:
        """When it was kept, if it was."""
        return self.kept.over_at if self.kept else None

    @property
    def kept_by(self) -> DemoStaff | None:
        """Who kept it."""
        return self.kept.caller if self.kept else None


class Teller:
    """Writes the notes of one patient; sentences come again only when all were used."""

    def __init__(self, person: Person, rng: Random) -> None:
        self.person, self.rng = person, rng
        own = [line for topic in person.topics for line in topic.notes]
        self.own, self.general = _Deck(own, rng), _Deck(words.GENERAL, rng)

    def note(self, dial: Dial, *, is_first: bool) -> str:
        """Return what was written about one talk: one to three sentences or so."""
        if dial.outcome is Outcome.OPTED_OUT:
            return words.OPTED_OUT
        if dial.outcome is Outcome.SAFETY:
            return words.SAFETY
        if dial.outcome is Outcome.CALL_BACK:
            return self.rng.choice(words.ASKED_LATER)
        if dial.outcome is Outcome.DECLINED_TODAY:
            return self.rng.choice(words.DECLINED)
        lines = [self.rng.choice(words.FIRST_CALLS)] if is_first else []
        has_own = is_first or chance(self.rng, 0.6)
        lines.append(self.own.draw() if has_own else self.general.draw())
        if not is_first and chance(self.rng, 0.5):
            lines.append(self.general.draw())
        return self._filled(" ".join(lines))

    def promises(self, story: Story, *, today: date) -> Iterator[Promised]:
        """Yield what was promised and, on a later talk, kept."""
        texts = _Deck([text for topic in self.person.topics for text in topic.promises], self.rng)
        talks = [dial for call in story.calls for dial in call.dials if dial.outcome.completes]
        for at, dial in enumerate(talks):
            if not chance(self.rng, 0.17):
                continue
            made_on = self.person.local_day(dial.at)
            due_on = made_on + timedelta(days=self.rng.randint(3, 10))
            later = [talk for talk in talks[at + 1 :] if self.person.local_day(talk.at) >= due_on]
            is_old = (today - due_on).days > 21  # noqa: PLR2004 - what is older was dealt with
            kept = later[0] if later and (is_old or chance(self.rng, 0.8)) else None
            if kept is None and is_old:
                continue
            has_day = chance(self.rng, 0.8)
            text = self._filled(texts.draw())
            yield Promised(text, due_on if has_day else None, dial, kept)

    def _filled(self, text: str) -> str:
        return text.format(called=self.person.called, **self.person.fillings)


class _Deck:
    """Lines in a shuffled order, shuffled again when all were drawn; never one twice running."""

    def __init__(self, lines: tuple[str, ...] | list[str], rng: Random) -> None:
        self.lines, self.rng, self.left = list(lines), rng, list[str]()
        self.last = ""

    def draw(self) -> str:
        """Return the next line."""
        if not self.left:
            self.left = [line for line in self.lines if line != self.last]
            self.rng.shuffle(self.left)
        self.last = self.left.pop()
        return self.last
