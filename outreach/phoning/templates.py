"""What a machine says aloud, and the voicemail a caller speaks: plain text files, never code.

No health words, ever: whoever picks up hears them.
"""

from functools import cache

from config import ROOT
from outreach.telephony.gateway import Words

FOLDER = ROOT / "templates" / "voice"
FALLBACK = "en"
LANGUAGES = ("en", "es", "pt")


def put_through() -> Words:
    """Return what one of the staff hears before they are put through to a patient."""
    return Words(_text("put_through", FALLBACK), FALLBACK)


def returned() -> Words:
    """Return what one of the staff hears when a patient returns their call."""
    return Words(_text("returned", FALLBACK), FALLBACK)


def too_late() -> Words:
    """Return what one of the staff hears where the patient may not be rung any more."""
    return Words(_text("too_late", FALLBACK), FALLBACK)


def later(language: str) -> Words:
    """Return what somebody who rings back hears when nobody can take it."""
    known = _known(language)
    return Words(_text("later", known), known)


def voicemail(language: str, *, patient: str, caller: str, phone: str) -> Words:
    """Return the neutral voicemail for a caller to speak, in the patient's language or English."""
    known = _known(language)
    words = _text("voicemail", known).format(patient=patient, caller=caller, phone=phone)
    return Words(words, known)


def _known(language: str) -> str:
    short = language.replace("_", "-").split("-")[0].lower()
    return short if short in LANGUAGES else FALLBACK


@cache
def _text(name: str, language: str) -> str:
    return (FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8").strip()
