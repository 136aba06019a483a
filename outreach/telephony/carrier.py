"""Which telephone company this installation uses: decided here, once."""

from config import Config
from outreach.clock import utc_now
from outreach.telephony.console_gateway import ConsoleGateway
from outreach.telephony.gateway import TelephonyGateway


def carrier_of(config: Config) -> TelephonyGateway:
    """Return Twilio where it is configured and this is no trial, else the one that only stores."""
    if config.twilio and config.public_url and not config.is_trial:
        # Its client loads a thousand modules' worth of time; without an account nobody needs it.
        from outreach.telephony.twilio_gateway import TwilioGateway  # noqa: PLC0415

        return TwilioGateway(config.twilio, config.public_url)
    only_to = frozenset(config.trial_numbers) if config.is_trial else frozenset()
    return ConsoleGateway(config.instance_path / "console-sms.jsonl", utc_now, only_to=only_to)
