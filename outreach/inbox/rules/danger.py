"""Texts that suggest danger, in any wording of the list. Pure.

Source: domain.md C3, a seed list which the clinic's medical lead extends: a false alarm costs
a call, a miss may cost a life. Accents, case, punctuation and doubled letters count for nothing;
a denial ('I don't want to die') counts as the words do.
"""

import re

from outreach.concerns.rules import ConcernKind
from outreach.inbox.rules.words import squeezed

# '*' ends a stem; '_' stands for up to two words between ('want to _ die').
_SELF_HARM = (
    # English
    "kill* _ myself", "kill* _ my self", "kms", "end* _ my life", "end it all", "take my own life",
    "taking my own life", "want* to _ die", "wanna die", "wish i was dead", "wish i were dead",
    "better off dead", "better off without me", "suicid*", "hurt* _ myself", "harm* _ myself",
    "cut* myself", "self harm*", "no reason to live", "no reason to go on", "nothing to live for",
    "dont want to live", "dont want to be alive", "dont wanna live", "overdos*",
    # Spanish; 'suicid*' is the same
    "quiero morir*", "me quiero morir", "matarme", "me quiero matar", "me voy a matar",
    "quitarme la vida", "acabar con mi vida", "acabar con todo", "hacerme dano", "lastimarme",
    "no quiero vivir", "no quiero seguir viviendo", "sin ganas de vivir", "mejor muert*",
    "sobredosis", "cortarme",
    # Portuguese
    "quero morrer", "me matar", "vou me matar", "tirar _ minha vida", "acabar com a minha vida",
    "acabar com tudo", "me machucar", "me cortar", "nao quero viver", "nao quero mais viver",
    "sem vontade de viver", "melhor mort*", "overdose",
)  # fmt: skip
_MEDICAL = (
    "chest pain*", "pain* in _ chest", "cant breath*", "can not breath*", "cannot breath*",
    "trouble breathing", "hard to breathe", "passed out", "passing out", "pass out", "faint*",
    "unconscious", "unresponsive", "seizure*", "stroke", "heart attack", "call 911", "call _ ambulance",
    "dolor de pecho", "dolor en _ pecho", "duele el pecho", "no puedo respirar", "no respir*",
    "desmay*", "desmai*", "convuls*", "infarto", "ataque al corazon", "derrame cerebral",
    "inconscient*", "dor no peito", "doi o peito", "nao consigo respirar", "nao respir*",
    "falta de ar", "ataque do coracao", "avc",
)  # fmt: skip
_ABUSE = (
    "hitting me", "hits me", "hit me", "beats me", "beat me up", "beating me", "hurts me",
    "hurting me", "he hurt me", "choked me", "chokes me", "strangl*", "threatens to kill",
    "me pega", "me pego", "me golpea*", "me esta golpeando", "me maltrata*", "me amenaza*",
    "me bate", "me bateu", "me batendo", "me espanca*", "me agrid*", "me ameaca*",
)  # fmt: skip


def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Return one pattern of all phrases, squeezed as the texts are. Linear: gaps are bounded."""
    parts = []
    for phrase in phrases:
        tokens = []
        for word in phrase.split():
            if word == "_":
                tokens.append(r"(?:\w+ ){0,2}")
            else:
                stem = r"\w*" if word.endswith("*") else ""
                tokens.append(f"{squeezed(word)}{stem} ")
        parts.append("".join(tokens))
    return re.compile(r"(?:^| )(?:" + "|".join(parts) + ")")


_PATTERNS = (
    (ConcernKind.SELF_HARM, _pattern(_SELF_HARM)),
    (ConcernKind.MEDICAL, _pattern(_MEDICAL)),
    (ConcernKind.ABUSE, _pattern(_ABUSE)),
)
PHRASES = {
    ConcernKind.SELF_HARM: _SELF_HARM,
    ConcernKind.MEDICAL: _MEDICAL,
    ConcernKind.ABUSE: _ABUSE,
}


def danger_in(text: str) -> ConcernKind | None:
    """Return what a text suggests danger of, the gravest first, or None."""
    said = squeezed(text) + " "
    return next((kind for kind, pattern in _PATTERNS if pattern.search(said)), None)
