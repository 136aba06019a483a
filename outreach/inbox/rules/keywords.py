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
    r" (?:text|texts|texting|txt|txts|txting|tex|message|messages|messaging|msg|msgs|sms|contact|contacting)"
    r"|(?:take|remove|delete|drop) (?:me|my number|my phone|my name|this number) ?(?:off|from|out)?"
    r"|opt(?:ing)? (?:me )?out|unsubscribe|unsuscribe|lose my number"
    r"|(?:stop|quit) (?:writing|sending|bothering|contacting|calling|harassing)"
    r"|enough (?:with|of) (?:the|these|your) (?:texts|txts|messages|msgs)"
    r"|(?:revoke|withdraw) (?:my )?(?:consent|permission)"
    # Spanish: asked of us, so 'no me mandaron la receta' is none, nor 'no me molesta'
    r"|no me (?:escrib(?:a|an|as)|mand(?:e|en|es)|envi(?:e|en|es)|text(?:ee|een|ees)|contact(?:e|en|es)"
    r"|molest(?:e|en|es))(?! (?:la|las|el|un|una|mi|mis|a)\b)"
    r"|no (?:me )?molest(?:e|en|es|ar)"
    r"|no (?:quiero|deseo)(?: (?:mas|recibir|que|me|manden|envien|escriban|sus|estos|los|ningun)){0,4} "
    r"(?:mensajes?|textos?|msjs?|sms)"
    r"|no quiero (?:mas )?recibir (?:mas )?(?:nada|esto)"
    r"|(?:no mas|ya no|sin mas|basta de|ni un) (?:mas )?(?:mensajes?|textos?|texts?|msjs?|sms)"
    r"|(?:deje|dejen|pare|paren|deja|para) de (?:me )?(?:escribir|mandar|enviar|text|textear|contactar|molestar)\w*"
    r"|(?:deje|dejen|deja)(?:n?me| me) en paz"
    r"|(?:quiten|quite|saquen|saque|borren|borre|eliminen|elimine)(?:me)?"
    r"(?: me| mi| numero| de| su| la| esta| esa)* (?:lista|numero)(?! (?:viejo|anterior|antiguo|de antes))"
    r"|(?:dar|darme|deme|denme) de baja|(?:borren|borre|borra|quiten|quite|quita|saquen|saque|saca|eliminen|elimine|elimina)me(?! (?:la|las|el|los|un|una)\b)"
    # Portuguese: 'nao me manda mais' is asked too, 'nao me mandaram' and 'nao me incomoda' not
    r"|(?:pare|parem|para|parar|deixe|deixem) (?:de|com) (?:me |as |essas )?(?:mandar|enviar|escrever|mensage)\w*"
    r"|(?:nao|n) (?:me )?(?:mand(?:e|em)|envi(?:e|em)|escrev(?:a|am)|contat(?:e|em)|incomod(?:e|em)"
    r"|perturb(?:e|em))(?! (?:a|as|o|um|uma|minha|meu)\b)"
    r"|(?:nao|n) (?:me )?(?:manda|envia|escreve|incomoda|perturba) mais(?! (?:a|as|o|um|uma|minha|meu)\b)"
    r"|(?:nao|n) quero(?: (?:mais|receber|suas|essas|nenhuma)){0,3} (?:mensage(?:m|ns?)|msgs?|sms|textos?)"
    r"|(?:nao|n) quero (?:mais )?receber(?: mais)? (?:isso|isto|nada)"
    r"|(?:chega de|sem mais|nao mais) (?:mensage(?:m|ns?)|msgs?|sms|textos?)"
    r"|me (?:tire|tirem|tira|remova|removam|exclua|retire) (?:da|dessa|desta) lista|quero sair d(?:a|essa) lista"
    r"|(?:tira|tire|tirem|apaga|apague|apaguem|remova|removam|exclua) (?:o )?meu numero"
    r"(?! (?:antigo|velho|anterior))"
    r"|(?:me deixa|me deixe|me deixem|deixa eu) em paz"
    r"|cancelar (?:a )?inscricao|cancelar (?:suscripcion|la suscripcion)"
    r")\b"
)
# As an order to us; 'the pain wont go away' and 'dont leave me alone' are none.
_ALONE = re.compile(
    r"^(?:\w+ ){0,3}?(?<!wont )(?<!dont )(?<!not )(?<!never )(?<!doesnt )(?<!to )leave me alone\b|^go away\b"
)
# They may mean the calls, the programme, or that we have somebody else: a person looks.
_MAYBE_PHRASES = re.compile(
    r"\b(?:"
    r"(?:dont|do not|no longer) (?:want to|wanna) (?:be|stay|participate|continue|take part)"
    r"(?: in| with)?(?: this| the| your) (?:program|programme|study|calls)"
    r"|fuck off|piss off|f off|get lost|block me"
    r"|ya no me (?:llame|llamen|llames)$|no me (?:llame|llamen|llames) (?:mas|nunca)$"
    r"|(?:deje|dejen|deja|pare|paren) de (?:llamar|llamarme|marcar|marcarme)"
    r"|no quiero (?:estar|seguir|continuar) en (?:el|este|su) (?:programa|estudio)|no quiero participar"
    r"|(?:nao|n) me (?:ligue|liguem|liga) mais$|(?:para|pare|parem|parar) de (?:me )?ligar"
    r"|(?:nao|n) quero (?:mais )?participar|quero sair do programa"
    r"|numero equivocado|equivoc\w+ de (?:numero|persona)|equivocado no soy|no conozco a (?:esa|ninguna)"
    r"|numero errado|err(?:ou|aram) (?:o|de) numero|^e engano$|^engano\b|nao conheco (?:essa|nenhuma)"
    r")(?: |$)"
)
_WRONG_NUMBER = re.compile(r"\bwrong (?:number|num|person)\b|\bisnt \w+ wrong$")
_GAVE_A_WRONG_ONE = re.compile(r"\b(?:gave|give|dial\w*|called|had|wrote|put|entered)\b")
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
# 'Should I stop my pills?', 'I want to stop smoking': of what they do themselves.
_OWN_STOP = re.compile(
    r"\b(?:(?:should|can|could|may|do|did|must|when do|if) i(?: (?:need|have) to)?|told me to|said to|says to"
    r"|i (?:need|have|want|had|tried|try|am trying|am going|plan) to|i will|i may|i might|i)"
    r" stop (?!text|txt|msg|mes|getting|receiving|this|these|it|all|now|please|you|the texts|the messages)\w"
)
_UNSURE_WORDS = frozenset({"stop", "unsubscribe", "unsuscribe", "optout", *_SLIPS})
_STARTS = CARRIER_STARTS - {"yes"} | {
    "subscribe", "resume", "start texting", "start texting me", "text me again", "iniciar",
    "quiero recibir mensajes otra vez", "quiero recibir mensajes", "quero receber mensagens",
    "quero receber mensagens de novo",
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
        "okay thanks", "great thank you", "great thanks", "god bless", "god bless you",
        "mil gracias", "esta bien gracias", "sale gracias", "perfecto gracias", "listo",
        "dios la bendiga", "dios lo bendiga", "dios le bendiga", "dios te bendiga",
        "obg", "brigada", "valeu", "ta bom obrigada", "ta bom obrigado", "blz", "deus abencoe",
        "ok gracias", "vale", "esta bien", "bueno", "de acuerdo", "perfecto", "obrigado",
        "obrigada", "muito obrigado", "muito obrigada", "ok obrigado", "ok obrigada", "ta bom",
        "beleza",
    }
)  # fmt: skip
_DAY = (
    r"(?:today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|that (?:day|time|hour)"
    r"|then|this (?:morning|afternoon|evening))"
)
_DIA = r"(?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)"
_ANOTHER_TIME = re.compile(
    r"\b(?:"
    r"(?:another|different|other|better|new) (?:time|day|date|hour)|reschedul\w*"
    r"|(?:call|ring) me (?:later|another|tomorrow|after|before|around|at \d)"
    r"|can you (?:call|ring) (?:me )?(?:later|another|tomorrow|after|before|around|at \d)"
    r"|(?:change|move|postpone|cancel)(?: (?:my|the|our|this|that))? (?:call|time|appointment|day)"
    r"|(?:cant|cannot|can not) (?:talk|make it|do (?:it|that|then|this)|take (?:the|your) call|answer)"
    r"|(?:not|isnt) a good time|(?:not|wont be|im not|am not) (?:available|free)"
    r"|(?:im|i am|i will be|ill be) (?:busy|working|at work)|^busy(?: (?:now|right now|today|tomorrow|sorry))*$"
    rf"|{_DAY} (?:doesnt|does not|dont|wont) work"
    r"|otra (?:hora|fecha)|otro (?:dia|momento|horario)|cambiar(?: \w+){0,3} (?:hora|dia|cita|llamada)|reprogramar\w*"
    r"|(?:llameme|llamame|llamar|me llama|me llaman|me marca|marqueme|marcame)(?: por favor)?"
    rf" (?:mas tarde|despues|luego|otro|manana|en la|por la|a las|el {_DIA})"
    r"|no puedo (?:hablar|atender|contestar|hoy|manana|a esa|ese|ahorita|ahora)(?! bien)"
    r"|(?:hoy|manana|ahorita|ahora|ese dia|a esa hora) no puedo(?: hablar| contestar| atender|$)"
    r"|estoy ocupad[oa]|no estoy disponible|estare ocupad[oa]|^estoy (?:trabajando|en el trabajo)"
    rf"|mejor (?:el {_DIA}|manana|mas tarde|en la (?:tarde|manana|noche)|por la (?:tarde|manana|noche))"
    r"|outr[oa] (?:hora|horario|dia|momento|data)|remarcar|reagendar|mudar(?: \w+){0,3} (?:hora|horario|dia|ligacao)"
    r"|(?:me )?lig(?:ue|a|ar) (?:mais tarde|depois|outro|amanha)"
    r"|(?:nao|n) posso (?:falar|atender|hoje|amanha|agora|nessa|nesse)"
    r"|(?:hoje|amanha|agora|esse horario|nesse horario|essa hora) (?:nao|n) (?:posso|da|consigo)(?: |$)"
    r"|(?:to|estou) ocupad[oa]|nao estou disponivel|^(?:to|estou) (?:trabalhando|no trabalho)"
    r")\b"
)
_CHOICE = re.compile(
    r"(?:(?:number|option|opcion|opcao|numero|no|n|el|la|o|a|the) )?(?:([1-9])|(one|uno|una|um|uma|primero|primeira|first)"
    r"|(two|dos|dois|duas|second)|(three|tres|third))(?: (?:please|por favor|thanks|gracias|obrigado|obrigada))?"
)


_GO_ON = re.compile(r"\b(?:dont|do not|never) stop\b")
# These may be about calls.
_ABOUT_MORE = re.compile(r"\b(?:calling|contact|contacting)\b")
# Texts that don't arrive are nothing that is asked for.
_STATES = re.compile(r"^(?:dont|never|do not) (?:get|receive)\b")


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
    return _stop_in_sentence(said)


def _stop_in_sentence(said: str) -> Stop:
    phrase = _STOP_PHRASES.search(said) or _ALONE.search(said)
    if phrase:
        if _STATES.search(phrase.group()):
            return Stop.NO
        is_unsure = _ABOUT_MORE.search(phrase.group()) or len(said.split()) > LONG
        return Stop.MAYBE if is_unsure else Stop.YES
    if _MAYBE_PHRASES.search(said) or _is_wrong_number(said):
        return Stop.MAYBE
    if _OWN_STOP.search(said):
        return Stop.NO
    return Stop.MAYBE if _is_unsure(said.split()) else Stop.NO


def _is_wrong_number(said: str) -> bool:
    """Say whether whoever has the telephone is not whom we mean to write to."""
    return _WRONG_NUMBER.search(said) is not None and not _GAVE_A_WRONG_ONE.search(said)


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
