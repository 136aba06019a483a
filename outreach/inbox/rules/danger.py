"""Texts that suggest danger, in any wording of the list. Pure.

Source: domain.md C3, a seed list which the clinic's medical lead extends: a false alarm costs
a call, a miss may cost a life. Accents, case, punctuation and doubled letters count for nothing;
a denial ('I don't want to die') counts as the words do.
"""

import re
from collections.abc import Sequence
from functools import cache

from outreach.concerns.rules import ConcernKind
from outreach.inbox.rules.words import squeezed

# '*' ends a stem; '_' stands for up to two words between ('want to _ die').
_SELF_HARM = (
    # English
    "kill* _ myself", "kill* _ my self", "kms", "end* _ my life", "end it all", "take my own life",
    "taking my own life", "want* to _ die", "wanna _ die", "wish i was dead", "wish i were dead",
    "better off dead", "better if i was dead", "better if i were dead", "better if i died",
    "unalive*", "life isnt worth", "life is not worth", "not worth living", "better off without me", "better without me", "suicid*", "sucid*", "suisid*",
    "hurt* _ myself", "harm* _ myself", "cut* myself", "self harm*", "no reason to live",
    "no reason to go on", "nothing to live for", "dont want to live", "do not want to live",
    "dont want to be alive", "dont wanna live", "dont wanna be alive", "dont want to be here any*",
    "dont wanna be here any*", "dont want to be here no more", "done with life", "tired of living",
    "tired of life", "sick of living", "cant do this any*", "cant take it any*", "cant take this any*", "cant live like this",
    "ending it", "end it tonight", "gonna end it", "going to end it", "want to end it",
    "whole bottle", "took _ bottle", "took _ too many pills", "took all of my pills", "all my pills at once",
    "shoot myself", "hang myself", "use it on myself", "never been born", "never born",
    "point of living", "point in living", "hope i dont wake up", "dont want to wake up",
    "hope i never wake up", "tell my _ i love", "cut* my wrist*", "slit my wrist*", "sleep forever",
    "insulin all at once", "took all my insulin", "injected all my insulin", "overdos*",
    # Spanish; 'suicid*' is the same
    "quiero morir*", "quisiera morir*", "ganas de morir*", "me quiero matar", "matarme",
    "me voy a matar", "quitarme la vida", "acabar con mi vida", "acabar con todo", "hacerme dano",
    "quiero hacer dano", "lastimarme", "no quiero vivir", "no quiero seguir viviendo",
    "no quiero estar aqui", "no quiero seguir aqui", "no quiero despertar", "ojala me muera",
    "ojala muriera", "ojala me muriera", "ojala no despierte", "sentido a la vida",
    "vida _ no tiene sentido", "vida no tiene _ sentido", "no aguanto mas", "no doy mas",
    "quiero desaparecer", "mejor sin mi", "no vale la pena vivir", "no vale la pena seguir viv*", "tome _ frasco", "tome muchas pastillas",
    "cort* las venas", "sin ganas de vivir", "no _ ganas de vivir", "para que vivir",
    "para que seguir viv*", "para que sigo viv*", "ahorcar*", "inyect* toda la insulina",
    "puse toda la insulina", "mejor muert*",
    "mejor estar muert*", "quiero estar muert*", "irme de este mundo", "sobredosis", "cortarme",
    # Portuguese
    "quero morrer", "queria morrer", "me matar", "vou me matar", "tirar _ minha vida",
    "acabar com a minha vida", "acabar com tudo", "me machucar", "me cortar", "me cortando",
    "nao quero viver", "nao quero mais viver", "nao quero mais estar aqui", "sem vontade de viver",
    "nao tenho _ vontade de viver", "sentido na vida", "vida nao tem _ sentido", "quero sumir", "queria sumir",
    "quero desaparecer", "melhor mort*", "se eu morresse", "melhor sem mim", "nao vale a pena viver", "tomara que eu morra",
    "tomei _ vidro", "tomei _ cartela", "tomei _ caixa", "tomei muitos remedios", "me enforcar",
    "apliquei toda a insulina", "tomei toda a insulina", "injetei toda a insulina", "overdose",
)  # fmt: skip
_MEDICAL = (
    "chest pain*", "pain* in _ chest", "chest _ hurt*", "hurt* in _ chest", "chest _ tight*",
    "tight* in _ chest", "chest pressure", "pressure in _ chest", "cant breath*", "can not breath*",
    "cannot breath*", "trouble breathing", "hard to breath*", "hard time breathing",
    "difficulty breathing", "problem* breathing", "short of breath", "shortness of breath",
    "catch my breath", "passed out", "passing out", "pass out", "blacked out", "blacking out",
    "faint*", "unconscious", "unresponsive", "seizure*", "stroke", "having a stoke",
    "face _ droop*", "face _ numb", "arm _ numb", "slurred", "slurring", "slur my", "heart attack", "vomit* _ blood",
    "throw* up blood", "cough* _ blood", "spit* _ blood", "blood in _ stool*", "wont wake",
    "not waking up", "cant wake him", "cant wake her", "bleeding wont stop", "wont stop bleeding",
    "cant stop _ bleeding", "bleeding a lot", "bleeding bad*", "hit my head", "hit _ head",
    "throat _ closing", "throat _ swelling", "allergic reaction", "fell _ cant get up",
    "foot _ black", "feet _ black", "toe* _ black", "need _ ambulance", "send _ ambulance",
    "call _ ambulance", "911", "too much insulin", "took double", "double dose",
    "dolor de pecho", "dolor en _ pecho", "duele _ el pecho", "opresion en _ pecho",
    "presion en _ pecho", "aprieta el pecho", "pecho apretado", "no puedo respirar", "no respir*",
    "falta el aire", "falta de aire", "cuesta _ respirar", "trabajo respirar",
    "dificultad para respirar", "me ahog*", "ahogando*", "desmay*", "desmalle", "desmai*",
    "convuls*", "perd* el conocimiento", "perdi* la conciencia", "no despierta", "no reacciona",
    "le dio un ataque", "me dio un ataque", "infarto", "ataque al corazon", "un derrame",
    "derrame cerebral", "inconscient*", "durmio la mitad", "durmio la cara", "cara dormida",
    "cara chueca", "boca chueca", "cara torcida", "boca torcida", "vomit* sangre",
    "no para de sangrar", "sangr* mucho", "peg* en la cabeza", "golpe* en la cabeza", "golpe* la cabeza", "ambulancia*", "garganta cerrada",
    "cerro la garganta", "sudando frio", "sudor frio", "insulina de mas", "puse mucha insulina",
    "inyecte mucha insulina", "demasiada insulina",
    "dor _ no peito", "doi _ peito", "peito _ doi", "peito _ doendo", "peito _ apertado",
    "aperto no peito", "pressao no peito", "nao consigo respirar", "nao respir*", "falta de ar",
    "falta ar", "falta o ar", "dificuldade _ respirar", "sufoc*", "perd* a consciencia",
    "desacordad*", "nao acorda", "ele nao responde", "ela nao responde", "infart*", "enfart*",
    "ataque do coracao", "avc", "boca entort*", "boca torta", "rosto torto", "rosto _ dormente",
    "lado dormente", "vomit* sangue", "sangrando", "nao para de sangrar", "teve um derrame", "sangue nas fezes", "bat* a cabeca", "samu",
    "suando frio", "suor frio", "insulina demais", "tomei muita insulina",
    "apliquei muita insulina",
    "chama* _ 192", "liga* _ 192",
)  # fmt: skip
_ABUSE = (
    "hitting me", "hits me", "hit me", "beats me", "beat me up", "beating me", "hurts me",
    "hurting me", "he hurt me", "choked me", "chokes me", "strangl*", "threatens to kill",
    "threaten* me", "said _ _ kill me", "wants to kill me", "tr* to kill me", "pushed me",
    "slapped me", "slaps me", "kicked me", "kicks me", "punched me", "punches me",
    "let me leave the house", "scared of my husband", "scared of my wife", "scared of my son",
    "scared of my boyfriend", "scared of my partner", "scared of him", "afraid of my husband",
    "afraid of my wife", "afraid of my son", "afraid of my boyfriend", "afraid of my partner",
    "afraid of him",
    "me pega", "me pegan", "me golpea*", "me golpeo", "me esta golpeando", "me maltrat*",
    "me amenaz*", "miedo de mi espos*", "miedo de mi marido", "miedo de mi novio",
    "miedo de mi hijo", "miedo de mi pareja", "miedo a mi espos*", "miedo a mi marido",
    "miedo a mi novio", "miedo a mi hijo", "miedo a mi pareja", "cachetada", "bofetada",
    "no me deja salir", "me empuj*", "me patea*",
    "me bate", "me bateu", "me batendo", "me espanca*", "me agrid*", "me ameac*", "apanhei",
    "medo do meu marido", "medo do meu namorado", "medo do meu filho", "medo dele",
    "nao me deixa sair", "me empurr*", "levei um soco", "levei um tapa", "deu um soco",
    "deu um tapa", "me chut*",
)  # fmt: skip
# Patterns over squeezed words. Some stand for danger unless something else follows: pills that
# were to be taken today, a time that does not suit, texts that are too many.
_MORE = {
    ConcernKind.SELF_HARM: (
        r"(?:cant|canot|can not) go on (?!mon|tue|wed|thu|fri|sat|sun|the|a|my|your|that|any|vacation)",
        r"tok al (?:of )?(?:my|the|those) (?:pils|meds) (?!today|this|as|like|on|every|yesterday|for)",
        r"(?:going to|gona|want to|wana|wil|il) take al (?:of )?(?:my|the|those) (?:pils|meds) (?!today|this|as|like|on|every|for)",
        r"(?:voy a|quiero) tomar(?:me)? todas (?:las |mis )?pastilas (?!hoy|como|de hoy|esta|a tiempo|que)",
        r"(?:vou|quero) tomar todos (?:os )?(?:meus )?remedios (?!hoje|certinho|direitinho|como|de hoje|da |que)",
        r"tome todas (?:las |mis )?pastilas (?!hoy|como|de hoy|esta|a tiempo|ayer)",
        r"no puedo mas (?!tarde|temprano|que|de una|hoy)",
        r"(?:nao|n|num) aguento mais (?!mensag|msg|sms|texto|ligac|receber|esperar|de )",
        r"(?:nao|n|num) consigo mais (?:$|viver|asim|iso|continuar|seguir)",
        r"tomei todos (?:os )?(?:meus )?remedios (?!hoje|certinho|direitinho|como|de hoje|da )",
        r"me cortei (?!com|na|no|fazendo|cozinhando|sem)",
    ),
    ConcernKind.MEDICAL: (
        r"sin aire (?!acondicionado)",
        r"sem ar (?!condicionado)",
        r"duelen? (?:\w+ ){0,6}pecho ",
        r"dolor(?:es)? (?:\w+ ){0,4}pecho ",
        r"dor(?:es)? (?:\w+ ){0,4}peito ",
        r"(?:nao|n|num) (?:\w+ )?conseguindo respirar ",
    ),
    ConcernKind.ABUSE: (r"me pego (?!el sol|el frio|al|un susto|un virus|la gripe|gripe)",),
}


_ALSO_TYPED = {"nao": "nao|n|num", "quiero": "quiero|kiero|qiero", "quero": "quero|kero"}


def _pattern(phrases: tuple[str, ...], more: tuple[str, ...]) -> re.Pattern[str]:
    """Return one pattern of all phrases, squeezed as the texts are. Linear: gaps are bounded."""
    parts = [*more]
    for phrase in phrases:
        tokens = []
        for word in phrase.split():
            if word == "_":
                tokens.append(r"(?:\w+ ){0,2}")
            elif word in _ALSO_TYPED:
                tokens.append(f"(?:{_ALSO_TYPED[word]}) ")
            else:
                stem = r"\w*" if word.endswith("*") else ""
                tokens.append(f"{squeezed(word)}{stem} ")
        parts.append("".join(tokens))
    return re.compile(r"(?:^| )(?:" + "|".join(parts) + ")")


@cache
def _patterns() -> Sequence[tuple[ConcernKind, re.Pattern[str]]]:
    """Return the patterns, the gravest first; compiled with the first text, not at every start."""
    return [(kind, _pattern(phrases, _MORE[kind])) for kind, phrases in PHRASES.items()]


PHRASES = {
    ConcernKind.SELF_HARM: _SELF_HARM,
    ConcernKind.MEDICAL: _MEDICAL,
    ConcernKind.ABUSE: _ABUSE,
}


def danger_in(text: str) -> ConcernKind | None:
    """Return what a text suggests danger of, the gravest first, or None."""
    said = squeezed(text) + " "
    return next((kind for kind, pattern in _patterns() if pattern.search(said)), None)
