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


@dataclass(frozen=True)
class TextKind:
    """What one text may name, and what it must.

    ``example`` gives a value of each placeholder, as long as one can be: the words are
    counted and shown with them. See :meth:`example_in`.
    """

    example: Mapping[str, str]
    required: frozenset[str]
    has_stop: bool = True

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
        "rhythm": "una llamada cada 14 dias",
    },
    "pt": {
        "day": "qua, 30 set",
        "begins": "10:30",
        "ends": "12:30",
        "rhythm": "uma ligação a cada 14 dias",
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
        | {"rhythm": "a call every 14 days"},
        frozenset({"clinic"}),
    ),
    TextName.MEASUREMENT_DUE: TextKind(
        {name: _CALL[name] for name in ("clinic", "phone", "caller")}, frozenset({"clinic"})
    ),
}


def placeholders(words: str) -> list[str]:
    """Return what ``words`` name in braces, in order."""
    return _PLACEHOLDER.findall(words)


def filled(words: str, values: Mapping[str, str]) -> str:
    """Return ``words`` with each {placeholder} replaced; an unknown one raises KeyError.

    Plain replacement and nothing else: what a manager writes is never run.
    """
    return _PLACEHOLDER.sub(lambda found: values[found[1]], words)


def known_language(language: str) -> str:
    """Return the language of ours for a patient's: 'pt-BR' is 'pt', what we lack English."""
    short = language.replace("_", "-").split("-")[0].lower()
    return short if short in LANGUAGES else FALLBACK
