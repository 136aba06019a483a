"""Letters to staff by SMTP. What they say is nobody's health: no server on the way is ours."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol

from config import Config, SmtpServer
from outreach.errors import OutreachError, ProviderUnavailable, RuleBroken

TIMEOUT_SECONDS = 10.0
# What a mail server answers: RFC 5321, 4.2.
OK, CLOSING = 250, 421
TEMPORARY, PERMANENT = 400, 500  # each the first of a hundred


class LetterRefused(RuleBroken):
    """The mail server will never take a letter: it certainly did not go out. Says its code."""


class LetterPutOff(ProviderUnavailable):
    """The mail server did not take this letter now: it did not go out, and may later."""


class LetterUnknown(ProviderUnavailable):
    """The connection broke while a letter was on its way: nobody knows whether it went out."""


@dataclass(frozen=True)
class Letter:
    """One e-mail. ``ref`` is the same for whatever may be the same letter again."""

    to: str
    subject: str
    body: str
    ref: str
    at: datetime


Post = Callable[[Letter], None]


class Mailer(Protocol):
    """Whoever takes letters."""

    def connected(self) -> AbstractContextManager[Post]:
        """Open a connection, and return what hands one letter over.

        Opening and handing over raise ProviderUnavailable where nobody answers, or they take
        nothing from us: nothing went out, and nothing will over this connection. Handing over
        raises the three errors above as well.
        """


@dataclass(frozen=True)
class SmtpMailer:
    """A mail server, spoken to by SMTP."""

    server: SmtpServer

    @contextmanager
    def connected(self) -> Iterator[Post]:
        """Sign in to the server; see :class:`Mailer`."""
        try:
            line = _signed_in(self.server)
        except (OSError, smtplib.SMTPException) as error:
            raise ProviderUnavailable("The mail server can't be reached.") from error
        try:
            yield lambda letter: _post(line, self.server.sender, letter)
        finally:
            line.close()


def mailer_of(config: Config) -> Mailer | None:
    """Return the mail server of this installation; None where there is none, or in a trial."""
    return SmtpMailer(config.smtp) if config.smtp and not config.is_trial else None


def _signed_in(server: SmtpServer) -> smtplib.SMTP:
    at = (server.host, server.port)
    if server.security == "tls":
        tls = ssl.create_default_context()
        line: smtplib.SMTP = smtplib.SMTP_SSL(*at, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        line = smtplib.SMTP(*at, timeout=TIMEOUT_SECONDS)
    try:
        if server.security == "starttls":
            line.starttls(context=ssl.create_default_context())
        line.ehlo_or_helo_if_needed()
        if server.user:
            line.login(server.user, server.password)
    except BaseException:
        line.close()
        raise
    return line


def _post(line: smtplib.SMTP, sender: str, letter: Letter) -> None:
    _still_there(line)
    try:
        line.send_message(_written(letter, sender))
    except smtplib.SMTPSenderRefused as error:
        raise ProviderUnavailable(f"The mail server takes nothing: {error.smtp_code}.") from error
    except smtplib.SMTPRecipientsRefused as error:
        code, _words = next(iter(error.recipients.values()))
        raise _not_taken(code) from error
    except smtplib.SMTPDataError as error:
        raise _not_taken(error.smtp_code) from error
    except smtplib.SMTPNotSupportedError as error:
        raise LetterRefused("address not supported") from error
    except (OSError, smtplib.SMTPException) as error:
        raise LetterUnknown("The mail server did not answer.") from error


def _still_there(line: smtplib.SMTP) -> None:
    """Ask the server whether it listens, so that a line it closed meanwhile loses no letter."""
    try:
        code, _words = line.rset()
    except (OSError, smtplib.SMTPException) as error:
        raise ProviderUnavailable("The mail server hung up.") from error
    if code != OK:
        raise ProviderUnavailable(f"The mail server takes nothing: {code}.")


def _not_taken(code: int) -> OutreachError:
    """Return what an answer that is no yes says of a letter. Source: RFC 5321, 4.2.1."""
    if code == CLOSING:
        return ProviderUnavailable("The mail server closes the line.")
    if TEMPORARY <= code < PERMANENT:
        return LetterPutOff(f"The mail server did not take a letter now: {code}.")
    if PERMANENT <= code < PERMANENT + 100:
        return LetterRefused(str(code))
    return LetterUnknown(f"The mail server's answer is none: {code}.")


def _written(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.ref}@{sender.rpartition('@')[2].strip('<> ')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message.set_content(letter.body)
    return message
