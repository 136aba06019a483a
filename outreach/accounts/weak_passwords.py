"""Passwords that guessers try first. Pure; nothing leaves the machine.

Lists of breached passwords hold few of twelve characters or more; those few are made of the
parts below: words that everybody takes, rows of keys, years, the same thing twice. So parts are
taken away, and what is left must still be something to guess.
"""

from collections.abc import Iterable

# Most frequent words and names in published lists of breached passwords, the product's own
# words, and what people here think of first. Of four letters or more.
_WORDS = """
password passwort passw0rd passcode letmein welcome admin administrator login master access
secret changeme change default guest user test testing temp temporary hello iloveyou loveyou love
lovely forever monkey dragon shadow sunshine princess football baseball basketball soccer hockey
superman batman spiderman starwars pokemon michael jennifer jessica ashley daniel jordan charlie
thomas robert andrew matthew joshua george hunter buster tigger ginger pepper cookie cheese banana
summer winter spring autumn fall january february march april june july august september october
november december monday tuesday wednesday thursday friday saturday sunday freedom whatever
trustno trust mustang corvette harley ferrari yankees dallas lakers chelsea arsenal liverpool
computer internet google facebook twitter linkedin microsoft windows apple samsung flower hannah
purple orange yellow silver golden diamond angel angels heaven jesus christ blessed church family
mother father daddy mommy babygirl baby girl boys friend friends honey sweet sugar candy chocolate
maggie bailey rocky lucky happy smile money dollar power killer warrior ninja wizard merlin magic
phoenix thunder lightning matrix gandalf starwars america american texas austin houston chicago
boston england london paris madrid brasil brazil mexico contrasena contrasenha senha teamo amor
corazon familia futbol hospital clinic clinica doctor nurse caller patient patients health care
healthcare medical medicine diabetes outreach telephone phone empathy programme program manager
secure security safety office work team company qwerty qwertz azerty asdf zxcv pass word number
please right wrong nothing nobody anything something everything
""".split()

_LONG = frozenset({"correcthorsebatterystaple", "trustno1trustno1", "incorrecthorse"})

# What a hand does without thinking. Also read backwards.
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiopü",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "!@#$%^&*()",
)
_SHORTEST_RUN = 3
_UNDISGUISED = str.maketrans("013457@$!", "oieastasi")
_ENOUGH = 5.0


def is_weak(password: str, own_words: Iterable[str] = ()) -> bool:
    """Say whether ``password`` is one of those that are guessed first.

    ``own_words``: what a guesser knows of the person; each is taken apart into its words.
    """
    text = password.casefold()
    joined = "".join(sign for sign in text if sign.isalnum())
    if joined in _LONG or _is_repeated(text) or _is_repeated(joined):
        return True
    words = sorted({*_WORDS, *_parts(own_words)}, key=len, reverse=True)
    return any(_left(variant, words) < _ENOUGH for variant in {text, text.translate(_UNDISGUISED)})


def _is_repeated(text: str) -> bool:
    """Say whether ``text`` is one short thing over and over."""
    return any(
        text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1)
    )


def _parts(own_words: Iterable[str]) -> set[str]:
    found = set()
    for word in own_words:
        split = "".join(sign if sign.isalnum() else " " for sign in word.casefold()).split()
        found |= {part for part in split if len(part) >= _SHORTEST_RUN}
    return found


def _left(text: str, words: list[str]) -> float:
    """Return how much of ``text`` is no known part: a letter counts 1, another sign a half."""
    for word in words:
        text = text.replace(word, "")
    rest = _without_runs(text)
    different = "".join(
        sign for place, sign in enumerate(rest) if place == 0 or sign != rest[place - 1]
    )
    return sum(1.0 if sign.isalpha() else 0.5 for sign in different if not sign.isspace())


def _without_runs(text: str) -> str:
    """Return ``text`` without what lies side by side on a keyboard or in the alphabet."""
    kept, at = "", 0
    while at < len(text):
        size = _run_at(text, at)
        if size < _SHORTEST_RUN:
            kept, size = kept + text[at], 1
        at += size
    return kept


def _run_at(text: str, at: int) -> int:
    size = 0
    for row in _ROWS:
        for line in (row, row[::-1]):
            while at + size < len(text) and text[at : at + size + 1] in line:
                size += 1
    return size
