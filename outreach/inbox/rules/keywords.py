"""What a patient asks for by a word or a phrase, in three languages. Pure.

Sources: domain.md D. Out: Twilio's default words and 47 CFR 64.1200(a)(10) (in force since 11
April 2025: STOP, QUIT, END, REVOKE, OPT OUT, CANCEL, UNSUBSCRIBE, and any reasonable phrase).
"""

import enum
import re

from outreach.inbox.rules.words import words

# Words that the carrier acts on and answers by itself, but only alone in a text.
CARRIER_STOPS = frozenset(
    {"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"}
)
CARRIER_STARTS = frozenset({"start", "yes", "unstop"})
CARRIER_HELPS = frozenset({"help", "info"})

_STOPS = CARRIER_STOPS | {
    "stop all", "opt out", "opt me out", "stop it", "stop texting", "stop texts", "stop sms",
    "stop messages", "remove", "remove me", "unsuscribe", "unsubscribe me", "no more",
    "para", "pare", "paren", "parar", "parem", "pararlo", "alto", "basta", "baja", "cancelar",
    "cancele", "no mas", "ya no", "ya basta", "dejen", "dar de baja", "nao mais", "chega", "sair",
    "descadastrar", "desinscrever", "remover",
}  # fmt: skip
# Alone they may be about the call: the texts stop, and a person looks.
_MAYBE_ABOUT_THE_CALL = frozenset({"cancel", "end", "cancelar", "cancele", "quit"})
_SLIPS = frozenset({"sotp", "stpo", "tsop", "stp", "stop1", "st0p", "stoop", "stopp", "stooop", "atop", "dtop", "stol", "stip"})  # fmt: skip
_POLITE = re.compile(
    r"\b(?:please|pls|plz|thanks|thank you|now|ok|okay|hi|hello|por favor|porfavor|gracias|ahora|"
    r"hola|obrigado|obrigada|agora|oi|ola|ja|ya)\b"
)
_STOP_PHRASES = re.compile(
    r"\b(?:"
    # English
    r"(?:stop|quit|cease|no more|dont|do not|never)(?: (?:want|ever|to|get|receive|send|sending|me|any|"
    r"more|all|these|those|the|your|please|getting|receiving)){0,6}"
    r" (?:text|texts|texting|txt|txts|message|messages|messaging|msg|msgs|sms|contact|contacting)"
    r"|(?:take|remove|delete|drop) (?:me|my number|my phone|this number) ?(?:off|from|out)?"
    r"|opt(?:ing)? (?:me )?out|unsubscribe|unsuscribe|leave me alone|lose my number|go away"
    r"|(?:stop|quit) (?:writing|sending|bothering|contacting|calling|harassing)"
    r"|(?:revoke|withdraw) (?:my )?(?:consent|permission)"
    # Spanish
    r"|no me (?:escrib|mand|envi|text|contact|molest)\w*"
    r"|no (?:quiero|deseo)(?: (?:mas|recibir|que|me|manden|envien|escriban|sus|estos|los|ningun)){0,4} "
    r"(?:mensaje|mensajes|texto|textos|sms)"
    r"|(?:no mas|ya no|sin mas|basta de|ni un) (?:mas )?(?:mensaje|mensajes|textos?|sms)"
    r"|(?:deje|dejen|pare|paren|deja|para) de (?:me )?(?:escribir|mandar|enviar|textear|contactar|molestar)\w*"
    r"|(?:quiten|quite|quitenme|quiteme|saquen|saquenme|saqueme|borren|borrenme|borreme|eliminen|eliminenme)"
    r"(?: me| mi| numero| de)* (?:lista|numero)"
    r"|(?:dar|darme|deme|denme) de baja|borrenme|quitenme|quiteme"
    # Portuguese
    r"|(?:pare|parem|para|parar|deixe|deixem) (?:de|com) (?:me |as |essas )?(?:mandar|enviar|escrever|mensage)\w*"
    r"|nao me (?:mand|envi|escrev|contat|contact|incomod)\w*"
    r"|nao quero(?: (?:mais|receber|suas|essas|nenhuma)){0,3} (?:mensagens?|sms|textos?)"
    r"|(?:chega de|sem mais|nao mais) (?:mensagens?|sms|textos?)"
    r"|me (?:tire|tirem|remova|removam|exclua|retire) (?:da|dessa|desta) lista"
    r"|cancelar (?:a )?inscricao|cancelar (?:suscripcion|la suscripcion)"
    r")\b"
)
# Whoever says these words of something else has not asked us to stop.
_NOT_US_BEFORE = frozenset(
    """cant cannot not couldnt wont dont didnt doesnt wouldnt never bus pit truck train rest next
    last first non full a the my every dead one short whistle pain nonstop wouldve""".split()
)
_NOT_US_AFTER = frozenset(
    """thinking by at smoking drinking eating taking crying worrying feeling working sign light
    watch going seeing hurting bleeding using sleeping walking exercising being having trying in
    over and""".split()
)
_UNSURE_WORDS = frozenset({"stop", "unsubscribe", "unsuscribe", "optout", *_SLIPS})
_STARTS = CARRIER_STARTS - {"yes"} | {
    "subscribe", "resume", "start texting", "start texting me", "text me again", "iniciar",
    "comenzar", "empezar", "reanudar", "activar", "comecar", "retomar", "recomecar", "voltar",
}  # fmt: skip
_HELPS = CARRIER_HELPS | {"ayuda", "ajuda", "informacion", "informacao", "who is this", "quien es", "quem e"}  # fmt: skip
_YES = frozenset({"yes", "y", "yep", "yeah", "si", "sim", "s", "claro", "ok yes"})
_NO = frozenset({"no", "n", "nope", "nao"})
_CONFIRMS = frozenset(
    {"c", "confirm", "confirmed", "confirmo", "confirmado", "confirmada", "confirmar", "i confirm"}
)
_COURTESIES = frozenset(
    {
        "thanks", "thank you", "thank you so much", "thx", "ty", "ok", "okay", "ok thanks", "k",
        "ok thank you", "got it", "great", "sounds good", "gracias", "muchas gracias",
        "ok gracias", "vale", "esta bien", "bueno", "de acuerdo", "perfecto", "obrigado",
        "obrigada", "muito obrigado", "muito obrigada", "ok obrigado", "ok obrigada", "ta bom",
        "beleza",
    }
)  # fmt: skip
_ANOTHER_TIME = re.compile(
    r"\b(?:"
    r"(?:another|different|other|better|new) (?:time|day|date|hour)|reschedul\w*|(?:call|ring) me (?:later|another|tomorrow)"
    r"|(?:change|move|postpone|cancel)(?: (?:my|the|our|this|that))? (?:call|time|appointment|day)"
    r"|(?:cant|cannot|can not) (?:talk|make it|do (?:it|that|then|this)|take (?:the|your) call|answer)"
    r"|(?:not|wont be|im not|am not) (?:available|free)|(?:im|i am|i will be|ill be) (?:busy|working|at work)"
    r"|otra (?:hora|fecha)|otro (?:dia|momento|horario)|cambiar(?: \w+){0,3} (?:hora|dia|cita|llamada)|reprogramar\w*"
    r"|(?:llameme|llamame|llamar) (?:mas tarde|despues|luego|otro)"
    r"|no puedo (?:hablar|atender|contestar|hoy|manana|a esa|ese)|estoy ocupad[oa]|no estoy disponible|estare ocupad[oa]"
    r"|outr[oa] (?:hora|horario|dia|momento|data)|remarcar|reagendar|mudar(?: \w+){0,3} (?:hora|horario|dia|ligacao)"
    r"|(?:me )?lig(?:ue|a|ar) (?:mais tarde|depois|outro)"
    r"|nao posso (?:falar|atender|hoje|amanha|nessa|nesse)|estou ocupad[oa]|nao estou disponivel"
    r")\b"
)
_CHOICE = re.compile(
    r"(?:(?:number|option|opcion|opcao|numero|no|n|el|la|o|a|the) )?(?:([1-9])|(one|uno|una|um|uma|primero|primeira|first)"
    r"|(two|dos|dois|duas|second)|(three|tres|third))(?: (?:please|por favor|thanks|gracias|obrigado|obrigada))?"
)


_GO_ON = re.compile(r"\b(?:dont|do not|never) stop\b")
# These may be about calls, or about texts that don't arrive.
_ABOUT_MORE = re.compile(
    r"\b(?:calling|contact|contacting|(?:dont|never|do not) (?:get|receive))\b"
)


class Stop(enum.StrEnum):
    """How surely somebody wants no more texts. In doubt the texts stop, and a person looks."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


def stop_in(text: str) -> Stop:
    """Return whether a text asks us to stop."""
    said = _joined(words(text))
    bare = " ".join(_POLITE.sub(" ", said).split())
    if _GO_ON.search(said):
        return Stop.NO
    if said in _STOPS or bare in _STOPS or _is_near_unsubscribe(bare):
        return Stop.MAYBE if {said, bare} & _MAYBE_ABOUT_THE_CALL else Stop.YES
    if bare in _SLIPS or re.fullmatch(r"sto+p+(?: sto+p+)*", bare):
        return Stop.YES if bare.startswith(("stop", "stoo")) else Stop.MAYBE
    phrase = _STOP_PHRASES.search(said)
    if phrase:
        is_unsure = _ABOUT_MORE.search(phrase.group()) or len(said.split()) > LONG
        return Stop.MAYBE if is_unsure else Stop.YES
    return Stop.MAYBE if _is_unsure(said.split()) else Stop.NO


LEAST_SPELT = 3  # letters with blanks between them: S T O P
SLIPS = 2  # letters that may be wrong in a long word
LONG = 25  # in a longer text a phrase may be about somebody else: the texts stop, a person looks


def carrier_acts_on(text: str) -> bool:
    """Say whether the carrier itself answers a text: one of its words, and nothing else."""
    return text.strip().casefold() in CARRIER_STOPS | CARRIER_STARTS | CARRIER_HELPS


def is_start(text: str) -> bool:
    """Say whether a text asks for texts again."""
    return _is_among(text, _STARTS)


def is_help(text: str) -> bool:
    """Say whether a text asks who we are."""
    return _is_among(text, _HELPS)


def is_confirmation(text: str) -> bool:
    """Say whether a text confirms, whatever was asked."""
    return _is_among(text, _CONFIRMS)


def is_yes(text: str) -> bool:
    """Say whether a text says yes to what was asked."""
    return _is_among(text, _YES)


def is_no(text: str) -> bool:
    """Say whether a text says no to what was asked."""
    return _is_among(text, _NO)


def may_answer(text: str) -> bool:
    """Say whether a text is one that answers what we ask: yes, no, a number, C."""
    return is_yes(text) or is_no(text) or is_confirmation(text) or choice_in(text) is not None


def is_courtesy(text: str) -> bool:
    """Say whether a text only says thanks, or that it was read: no answer is expected."""
    said = words(text)
    return said in _COURTESIES or (not said and text.strip() in _THUMBS)


_THUMBS = frozenset(
    {"👍", "🙏", "❤️", "❤", "👍🏻", "👍🏼", "👍🏽", "👍🏾", "👍🏿", "👌", "🙂", "😊"}
)


def wants_another_time(text: str) -> bool:
    """Say whether a text asks for the call at another time."""
    return _ANOTHER_TIME.search(words(text)) is not None


def choice_in(text: str) -> int | None:
    """Return the number that a text answers with, and nothing else: '2', '#2', 'option two'."""
    match = _CHOICE.fullmatch(words(text))
    if match is None:
        return None
    digit, *spelt = match.groups()
    return int(digit) if digit else next(n for n, each in enumerate(spelt, 1) if each)


def _joined(said: str) -> str:
    """Return 's t o p' as one word."""
    letters = said.split()
    return (
        "".join(letters)
        if len(letters) >= LEAST_SPELT and all(len(each) == 1 for each in letters)
        else said
    )


def _is_among(text: str, known: frozenset[str] | set[str]) -> bool:
    said = words(text)
    return said in known or " ".join(_POLITE.sub(" ", said).split()) in known


def _is_unsure(said: list[str]) -> bool:
    """Say whether a word of stopping stands in a sentence that is not plainly about other things."""
    for at, word in enumerate(said):
        before = said[at - 1] if at else ""
        after = said[at + 1] if at + 1 < len(said) else ""
        if word in _UNSURE_WORDS and before not in _NOT_US_BEFORE and after not in _NOT_US_AFTER:
            return True
    return False


def _is_near_unsubscribe(said: str) -> bool:
    """Say whether a text is 'unsubscribe' but for two letters."""
    wanted = "unsubscribe"
    if " " in said or abs(len(said) - len(wanted)) > SLIPS:
        return False
    row = list(range(len(wanted) + 1))
    for i, own in enumerate(said, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(wanted, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (own != other))
    return row[-1] <= SLIPS
