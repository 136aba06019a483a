"""STOP in all its forms, START, HELP, and what only looks like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.rules import keywords
from outreach.inbox.rules.keywords import Stop, stop_in

STOPS = """STOP|stop|Stop.|  stop  |STOP!!!|🛑 stop|stop 🙏|Stop please|please stop|Stopall|STOP ALL|unsubscribe
quit texting me|revoke|REVOKE|opt out|Opt-out|OPTOUT|opt me out|stop texting|stop texting me|please stop texting me
Please stop sending me messages|don't text me anymore|do not text me|no more messages
no more texts please|take me off|take me off your list|remove me|remove me from this list|remove my number
I don't want any more texts|I do not want to receive these messages|never text me again|leave me alone
unsuscribe|unsubcribe|Unsubscribe me|STOOOP|stop stop stop|s\u200btop|ＳＴＯＰ|I revoke my consent
para|PARA|parar|Parar!|alto|ALTO|basta|¡Basta!|ya basta|no más|NO MAS|no mas mensajes|no me escriban|no me escriban más
No me mande mensajes|no quiero más mensajes|no quiero recibir mensajes|dejen de escribirme|deje de mandarme mensajes
quítenme de la lista|dar de baja|BAJA|por favor paren|pare|Pare de me mandar mensagens|parem de me mandar mensagens
para de me mandar mensagem|não me mande mais mensagens|nao me mandem mensagens|não quero mais receber mensagens
chega de mensagens|sair|me tire da lista|descadastrar|não mais mensagens"""
HUMAN = """I can't stop thinking about my sister|I am at the bus stop|the pain won't stop|I can't stop crying
non stop headaches|I had to stop at the store by the way|the week's end was nice|Thank you for calling
my sugar was high|can you call me tomorrow|el autobús no para|para mi mamá|quiero hablar con usted
gracias por llamar|a dor não para de doer|vou parar na farmácia|obrigada por ligar|hola|oi tudo bem
the train stops at 5|my phone is dead|quitting smoking is hard|end of the day is best
I need to cancel my appointment with the dentist|"""


@pytest.mark.parametrize("text", STOPS.replace("\n", "|").split("|"))
def test_who_asks_to_stop_is_stopped(text: str) -> None:
    assert stop_in(text) is Stop.YES


@pytest.mark.parametrize("text", HUMAN.replace("\n", "|").split("|"))
def test_a_stop_inside_other_words_goes_to_a_person(text: str) -> None:
    assert stop_in(text) is Stop.NO


@pytest.mark.parametrize(
    "text",
    [
        "cancel", "CANCEL", "end", "End.", "quit", "cancelar", "sotp", "stpo", "dtop",
        "stop calling me", "ok then stop", "my daughter says stop", "just stop already",
        "Do not contact me by text",
    ],
)  # fmt: skip
def test_in_doubt_the_texts_stop_and_a_person_looks(text: str) -> None:
    assert stop_in(text) is Stop.MAYBE


@given(
    st.sampled_from(sorted(keywords.CARRIER_STOPS)),
    st.text(alphabet=" .!?,\n\t😀🛑'\"", max_size=6),
    st.text(alphabet=" .!?,\n\t😀🛑'\"", max_size=6),
    st.booleans(),
)
def test_what_surrounds_a_carriers_word_never_hides_it(
    word: str, before: str, after: str, is_loud: bool
) -> None:
    text = f"{before}{word.upper() if is_loud else word}{after}"
    assert stop_in(text) is not Stop.NO


@given(st.text(max_size=2000))
def test_any_text_can_be_read(text: str) -> None:
    assert stop_in(text) in Stop
    keywords.choice_in(text)
    keywords.wants_another_time(text)


@pytest.mark.parametrize(
    "text", ["START", "unstop", "Start!", "iniciar", "começar", "text me again"]
)
def test_start(text: str) -> None:
    assert keywords.is_start(text)
    assert stop_in(text) is Stop.NO


@pytest.mark.parametrize("text", ["HELP", "info", "Ayuda", "AJUDA", "¿Ayuda?", "help please"])
def test_help(text: str) -> None:
    assert keywords.is_help(text)


@pytest.mark.parametrize("text", ["help my mother fell", "start of the week is good", "yes"])
def test_not_every_sentence_with_a_keyword_is_one(text: str) -> None:
    assert not keywords.is_help(text)
    assert not keywords.is_start(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2), ("#3", 3), ("Option 1", 1), ("two please", 2), ("la 2", 2), ("opção 3", 3),
        ("２", 2), ("número 1", 1), ("2.", 2), ("22", None), ("2 apples", None), ("", None), ("0", None),
    ],
)  # fmt: skip
def test_the_number_of_an_offer(text: str, number: int | None) -> None:
    assert keywords.choice_in(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "another time please", "Can we do a different day?", "I can't talk then", "reschedule",
        "otra hora", "¿Puede ser otro día?", "no puedo hablar hoy", "outro horário", "Remarcar",
        "não posso falar amanhã", "I'm busy", "call me later",
    ],
)  # fmt: skip
def test_another_time(text: str) -> None:
    assert keywords.wants_another_time(text)


def test_only_a_carriers_word_alone_is_answered_by_the_carrier() -> None:
    assert keywords.carrier_acts_on(" Stop ")
    assert not keywords.carrier_acts_on("stop please")
    assert not keywords.carrier_acts_on("parar")
