"""Which texts there are, what each may name, and how words become a text. Pure."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("en", "es", "pt")
FALLBACK = "en"
_PLACEHOLDER = re.compile(r"\{([a-z_]*)\}")


class TextName(enum.StrEnum):
    """A text whose words a clinic may choose. The value names its file in templates/sms."""

    REMINDER = "reminder"
    REMINDER_AGREED = "reminder_agreed"
    CALLBACK_CONFIRMED = "callback_confirmed"
    MISSED_YOU = "missed_you"
    THANK_YOU = "thank_you"
    MEASUREMENT_DUE = "measurement_due"
    CONFIRMED_REPLY = "confirmed_reply"
    OFFERED_SLOTS = "offered_slots"
    OFFERED_AGAIN = "offered_again"
    NO_TIME_FOUND = "no_time_found"
    NOT_UNDERSTOOD_REPLY = "not_understood_reply"
    HELP_REPLY = "help_reply"
    STOP_REPLY = "stop_reply"
    START_REPLY = "start_reply"
    DANGER_REPLY = "danger_reply"
    READING_RECEIVED = "reading_received"
    READING_URGENT = "reading_urgent"
    READING_QUESTION = "reading_question"
    READINGS_REFUSED = "readings_refused"


@dataclass(frozen=True)
class TextKind:
    """What one text may name, and what it must.

    ``example`` gives a value of each placeholder, as long as one can be: the words are
    counted and shown with them. See :meth:`example_in`. ``must_say`` are words that have to
    be in it: an answer that leaves them out would not work. Of the words that change what the
    carrier lets through, it may ask for those in ``may_ask_for``.
    """

    example: Mapping[str, str]
    required: frozenset[str]
    has_stop: bool = True
    must_say: tuple[str, ...] = ()
    may_ask_for: frozenset[str] = frozenset()

    def example_in(self, language: str) -> Mapping[str, str]:
        """Return the examples as they are written in ``language``."""
        own = _WRITTEN.get(language, {})
        return {name: own.get(name, value) for name, value in self.example.items()}


# Days and times, as Babel writes them there without accents.
_WRITTEN: dict[str, Mapping[str, str]] = {
    "es": {
        "day": "mie 30 sept",
        "begins": "10:30 am",
        "ends": "12:30 pm",
        "rhythm": "una vez cada 10 días",
        "when": "mie 30 sept 10:30 am - 12:30 pm",
        "times": "1) mie 30 sept 10:30 am 2) jue 1 oct 2:00 pm 3) vie 2 oct 9:30 am",
    },
    "pt": {
        "day": "qua, 30 set",
        "begins": "10:30",
        "ends": "12:30",
        "rhythm": "uma vez a cada 10 dias",
        "when": "qua 30 set 10:30 - 12:30",
        "times": "1) qua 30 set 10:30 2) qui 1 out 14:00 3) sex 2 out 09:30",
    },
}

_CALL = {
    "clinic": "Riverside Community Clinic",
    "phone": "(512) 555-0100",
    "caller": "Maria",
    "day": "Wed, Sep 30",
    "begins": "10:30 AM",
    "ends": "12:30 PM",
}
# What every answer may name. The numbers are those of the clinic's crisis card.
_ANSWER = {
    "clinic": "Riverside Community Clinic",
    "phone": "(512) 555-0100",
    "emergency": "911",
    "lifeline": "988",
}
_WHEN = "Wed Sep 30 10:30 AM - 12:30 PM"
_TIMES = "1) Wed Sep 30 10:30 AM 2) Thu Oct 1 2 PM 3) Fri Oct 2 9:30 AM"


def _answer(
    *required: str,
    more: Mapping[str, str] | None = None,
    must_say: tuple[str, ...] = (),
    may_ask_for: frozenset[str] = frozenset(),
    has_stop: bool = False,
) -> TextKind:
    return TextKind(
        {**_ANSWER, **(more or {})},
        frozenset({"clinic", *required}),
        has_stop=has_stop,
        must_say=must_say,
        may_ask_for=may_ask_for,
    )


KINDS: dict[TextName, TextKind] = {
    TextName.REMINDER: TextKind(_CALL, frozenset({"clinic", "day", "begins"})),
    TextName.REMINDER_AGREED: TextKind(
        {name: _CALL[name] for name in _CALL if name != "ends"},
        frozenset({"clinic", "day", "begins"}),
    ),
    TextName.CALLBACK_CONFIRMED: TextKind(
        {name: _CALL[name] for name in _CALL if name != "ends"},
        frozenset({"clinic", "day", "begins"}),
    ),
    TextName.MISSED_YOU: TextKind(
        {name: _CALL[name] for name in ("clinic", "phone", "caller")}, frozenset({"clinic"})
    ),
    TextName.THANK_YOU: TextKind(
        {name: _CALL[name] for name in ("clinic", "phone", "caller")}
        | {"rhythm": "once every 10 days"},
        frozenset({"clinic"}),
    ),
    TextName.MEASUREMENT_DUE: TextKind(
        {name: _CALL[name] for name in ("clinic", "phone", "caller")}, frozenset({"clinic"})
    ),
    TextName.CONFIRMED_REPLY: _answer("when", more={"caller": "Maria", "when": _WHEN}),
    TextName.OFFERED_SLOTS: _answer("times", more={"caller": "Maria", "times": _TIMES}),
    TextName.OFFERED_AGAIN: _answer("times", more={"caller": "Maria", "times": _TIMES}),
    TextName.NO_TIME_FOUND: _answer(),
    TextName.NOT_UNDERSTOOD_REPLY: _answer("emergency"),
    TextName.HELP_REPLY: _answer("phone", has_stop=True),
    TextName.STOP_REPLY: _answer(must_say=("START",), may_ask_for=frozenset({"START"})),
    TextName.START_REPLY: _answer(has_stop=True),
    # Numbers to ring are what these are for: words without them can't be saved.
    TextName.DANGER_REPLY: _answer("emergency", "lifeline"),
    TextName.READING_URGENT: _answer("emergency"),
    TextName.READING_RECEIVED: _answer(),
    TextName.READING_QUESTION: _answer(must_say=("1", "2")),
    TextName.READINGS_REFUSED: _answer(),
}


# Answers to texts that came in, and what we send unasked.
ANSWERS = tuple(name for name in TextName if "emergency" in KINDS[name].example)
UNASKED = tuple(name for name in TextName if name not in ANSWERS)


def placeholders(words: str) -> list[str]:
    """Return what ``words`` name in braces, in order."""
    return _PLACEHOLDER.findall(words)


def pieces(words: str) -> list[str]:
    """Return what stands around the {placeholders} of ``words``: one piece more than these."""
    return _PLACEHOLDER.split(words)[::2]


def filled(words: str, values: Mapping[str, str]) -> str:
    """Return ``words`` with each {placeholder} replaced; an unknown one raises KeyError.

    Plain replacement and nothing else: what a manager writes is never run.
    """
    return _PLACEHOLDER.sub(lambda found: values[found[1]], words)


def known_language(language: str) -> str:
    """Return the language of ours for a patient's: 'pt-BR' is 'pt', what we lack English."""
    short = language.replace("_", "-").split("-")[0].lower()
    return short if short in LANGUAGES else FALLBACK
