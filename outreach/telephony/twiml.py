"""Our answers to Twilio while a call is under way, written with its own library.

Recording does not exist: no verb or attribute here, or anywhere, asks for it.
"""

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from outreach.telephony.gateway import Answer, AskForKey, Connect, End, Leg, Words

LONGEST_CALL_SECONDS = 4 * 60 * 60
RING_STAFF_SECONDS = 25
RING_PATIENT_SECONDS = 35
_KEY_SECONDS = 8
_LANGUAGES = {"en": "en-US", "es": "es-MX", "pt": "pt-BR"}
_EVENTS = "initiated ringing answered completed"


def address(public_url: str, reference: int, what: str) -> str:
    """Return where Twilio reports or asks about one of our calls; it carries our own id."""
    return f"{public_url}/webhooks/voice/{reference}/{what}"


def reported(public_url: str, reference: int, what: str) -> str:
    """Return such an address for reports: Twilio tries these again when they fail."""
    return address(public_url, reference, what) + "#rc=3&rp=all"


def written(answer: Answer, public_url: str) -> str:
    """Return ``answer`` as TwiML."""
    response = VoiceResponse()
    if isinstance(answer, AskForKey):
        _ask(response, answer, public_url)
    elif isinstance(answer, Connect):
        _connect(response, answer, public_url)
    elif isinstance(answer, End):
        if answer.words:
            _say(response, answer.words)
        response.hangup()
    return str(response)


def _ask(response: VoiceResponse, ask: AskForKey, public_url: str) -> None:
    gather = Gather(
        num_digits=1,
        timeout=_KEY_SECONDS,
        action=address(public_url, ask.reference, "key"),
        method="POST",
    )
    _say(gather, ask.words)
    response.append(gather)
    response.hangup()


def _connect(response: VoiceResponse, connect: Connect, public_url: str) -> None:
    is_patient = connect.leg is Leg.PATIENT
    dial = Dial(
        caller_id=connect.shown,
        timeout=RING_PATIENT_SECONDS if is_patient else RING_STAFF_SECONDS,
        time_limit=LONGEST_CALL_SECONDS,
        answer_on_bridge=True,
        action=address(public_url, connect.reference, "over"),
        method="POST",
    )
    options = {
        "status_callback": reported(public_url, connect.reference, connect.leg.value),
        "status_callback_event": _EVENTS,
    }
    if is_patient:
        options["machine_detection"] = "Enable"
        options["amd_status_callback"] = address(public_url, connect.reference, "answered-by")
    else:
        options["url"] = address(public_url, connect.reference, "answered")
    dial.number(connect.to, **options)
    response.append(dial)


def _say(where: VoiceResponse | Gather, words: Words) -> None:
    short = words.language.split("-")[0]
    where.say(words.text, language=_LANGUAGES.get(short, _LANGUAGES["en"]))
