"""What a conversation might begin with, from the patient's own topics. Pure, and no script.

Always the same for the same record, at most three, and a caller may hide them: they are there
for the moment in which nothing comes to mind.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 3
LONGEST = 90  # characters of somebody's topic; more is reading, not talking
_SENTENCE = re.compile(r".+?(?:[.!?…](?=\s|$)|$)", re.DOTALL)


class OpenerKind(enum.StrEnum):
    """Where a topic comes from."""

    PROMISE = "promise"
    LAST_TIME = "last_time"
    GOAL = "goal"
    ABOUT = "about"


@dataclass(frozen=True)
class Opener:
    """One topic, in the words of the record."""

    kind: OpenerKind
    topic: str


@dataclass(frozen=True)
class Topics:
    """What the record holds, each list in the order in which it should be taken up."""

    promises: Sequence[str] = ()
    last_note: str = ""
    goals: Sequence[str] = ()
    about: str = ""


def openers(topics: Topics) -> tuple[Opener, ...]:
    """Return up to three openers, each from another part of the record, no topic twice.

    A promise comes first, since keeping it is what trust is made of; then what was talked
    about last, then a goal, then what matters to them.
    """
    found: list[Opener] = []
    for kind, texts in (
        (OpenerKind.PROMISE, topics.promises),
        (OpenerKind.LAST_TIME, [topics.last_note]),
        (OpenerKind.GOAL, topics.goals),
        (OpenerKind.ABOUT, [topics.about]),
    ):
        topic = next(filter(None, map(first_words, texts)), "")
        if topic and topic.casefold() not in {each.topic.casefold() for each in found}:
            found.append(Opener(kind, topic))
    return tuple(found[:MOST])


def first_words(text: str) -> str:
    """Return the first sentence of ``text`` without its stop, cut at a word where it is long."""
    whole = " ".join(text.split())
    match = _SENTENCE.match(whole)
    sentence = match.group().rstrip(".!… ") if match else ""
    if len(sentence) <= LONGEST:
        return sentence
    return sentence[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;:") + " …"
