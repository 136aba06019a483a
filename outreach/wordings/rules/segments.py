"""How many messages of the telephone network a text takes. Pure. Source: 3GPP TS 23.038."""

from dataclasses import dataclass

# The basic alphabet; those of the extension table cost two.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM_ALONE, _GSM_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67


@dataclass(frozen=True)
class Size:
    """The size of a text: ``units`` of its alphabet, messages, and which letters cost most.

    ``costly`` are the letters outside the basic alphabet, in order, each once: any one of
    them makes every letter of the text cost more than twice as much.
    """

    is_gsm7: bool
    units: int
    messages: int
    costly: str


def size_of(text: str) -> Size:
    """Return how large ``text`` is on the network."""
    costly = "".join(dict.fromkeys(c for c in text if c not in _BASIC and c not in _EXTENDED))
    if costly:
        units = len(text.encode("utf-16-le")) // 2
        return Size(False, units, _messages(_units_of_ucs2(text), _UCS2_ALONE, _UCS2_PART), costly)
    each = [2 if c in _EXTENDED else 1 for c in text]
    return Size(True, sum(each), _messages(each, _GSM_ALONE, _GSM_PART), "")


def _units_of_ucs2(text: str) -> list[int]:
    return [len(c.encode("utf-16-le")) // 2 for c in text]


def _messages(each: list[int], alone: int, part: int) -> int:
    """Return how many messages letters of these sizes take; no letter is cut in two."""
    if sum(each) <= alone:
        return 1
    messages, room = 1, part
    for units in each:
        if units > room:
            messages, room = messages + 1, part
        room -= units
    return messages
