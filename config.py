"""Every setting of one installation, by name; the only reader of the environment."""

import base64
import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
READ_ONLY = "read-only"  # behind a key that does not encrypt yet


class BadSetting(ValueError):
    """A setting has a value that the product can't run with."""


@dataclass(frozen=True, kw_only=True)
class TwilioAccount:
    """One Twilio account. ``base_url`` points elsewhere only for a mock of Twilio's API."""

    account_sid: str
    auth_token: str
    sender: str
    base_url: str | None = None
    timeout_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """The mail server that takes e-mails to staff. ``security``: "starttls", "tls" or "none"."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"


@cache
def _fleeting_key() -> tuple[tuple[str, bytes], ...]:
    return (("fleeting", secrets.token_bytes(32)),)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of one running installation.

    ``public_url`` is the address Twilio reaches us at; its signatures cover it.
    ``trusted_proxies`` counts the reverse proxies whose X-Forwarded headers we believe.
    ``send_workers`` processes send texts beside the scheduler, which does so too.
    ``breached_passwords``: a file of breached passwords that nobody may choose, as Have I Been
    Pwned offers it: SHA-1 hashes in order, one a line.
    ``export_days``: how long a file that somebody asked for can be picked up.
    ``conversation_minutes``: how long automatic texts wait after a patient wrote one.
    ``metrics_token`` is what a monitor sends for ``/metrics``; without one only monitors on
    this machine are answered.
    ``logs_are_json``: processes log a line of JSON each time, for a machine that collects them.
    ``is_trial``: texts are stored and shown; whatever else is set, no carrier, mail server or
    collector is asked; ``trial_numbers``, where there are any, are the only ones then taken.
    ``is_loopback`` allows cookies without TLS, for a trial on one's own machine only.
    ``data_keys``: id and 32 bytes of each key that values at rest are encrypted with, oldest
    first; without any, one that dies with this process. None at all: see ``upkeep.fitting``.
    ``encrypting_key``: the id of the one that encrypts what is only read; None for the newest.
    ``data_key_file``: where they are written, None where a variable told them.
    ``requires_second_factor``: nurses, managers, administrators and auditors set one up before
    anything else. ``administrators_need_reason``: they open a patient only with a reason, for
    an hour, and managers see it.
    ``web_database_role``: the role that PostgreSQL's row-level security binds requests to; None
    for no second wall.
    ``traces_url``: where a collector takes traces by OTLP over HTTP; None for none.
    ``pulse_burnout_from``: from which answer, 1 to 5, a caller counts as burning out;
    ``pulse_least_answers``: how many must answer in a month for managers to be told of it.
    """

    database_url: str
    instance_path: Path
    secret_key: str
    public_url: str | None = None
    trusted_proxies: int = 0
    is_loopback: bool = True
    allowed_hosts: tuple[str, ...] = ()
    twilio: TwilioAccount | None = None
    smtp: SmtpServer | None = None
    is_trial: bool = False
    trial_numbers: tuple[str, ...] = ()
    upload_bytes: int = 64 * 1024 * 1024
    idle_minutes: int = 15
    conversation_minutes: int = 30
    session_hours: int = 12
    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 2
    web_threads: int = 4
    send_workers: int = 0
    metrics_token: str | None = None
    requires_second_factor: bool = False
    administrators_need_reason: bool = False
    data_keys: tuple[tuple[str, bytes], ...] = field(default_factory=_fleeting_key, repr=False)
    encrypting_key: str | None = None
    data_key_file: Path | None = None
    export_days: int = 7
    breached_passwords: Path | None = None
    logs_are_json: bool = False
    web_database_role: str | None = None
    traces_url: str | None = None
    pulse_burnout_from: int = 3
    pulse_least_answers: int = 5
    rate_limits: str = ""  # as ``outreach.brakes.rules`` reads it

    @property
    def exports(self) -> Path:
        """The folder of files that people asked for."""
        return self.instance_path / "exports"

    @property
    def uploads(self) -> Path:
        """The folder of files that wait to be imported."""
        return self.instance_path / "uploads"

    @property
    def compiled_templates(self) -> Path:
        """The folder of templates as they were compiled; can be deleted at any time."""
        return self.instance_path / "compiled_templates"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read every setting; make the instance folder and its secret key on first use.

        Raises:
            BadSetting: a value can't be used; the message names the variable.
        """
        instance = Path(environ.get("INSTANCE_PATH", ROOT / "instance")).resolve()
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_here, yes_or_no = _is_loopback(environ), partial(_yes_or_no, environ)
        keys, encrypting = _data_keys(environ, instance / "data_keys")
        return cls(
            database_url=_database_url(environ.get("DATABASE_URL"), instance),
            instance_path=instance,
            secret_key=_kept_secret(instance / "secret_key"),
            public_url=environ.get("PUBLIC_URL", "").rstrip("/") or None,
            trusted_proxies=_proxies(environ),
            is_loopback=is_here,
            allowed_hosts=_hosts(environ),
            data_keys=keys,
            encrypting_key=encrypting,
            data_key_file=_data_key_file(environ, instance / "data_keys"),
            requires_second_factor=yes_or_no("REQUIRE_SECOND_FACTOR", default=not is_here),
            administrators_need_reason=yes_or_no("ADMINISTRATORS_NEED_REASON", default=not is_here),
            twilio=_twilio(environ),
            smtp=_smtp(environ),
            is_trial=yes_or_no("TRIAL", default=False),
            trial_numbers=tuple(environ.get("TRIAL_NUMBERS", "").replace(",", " ").split()),
            upload_bytes=_whole(environ, "UPLOAD_MEGABYTES", 64) * 1024 * 1024,
            idle_minutes=_whole(environ, "IDLE_MINUTES", 15),
            conversation_minutes=_whole(environ, "CONVERSATION_MINUTES", 30, most=1440),
            host=environ.get("HOST") or "127.0.0.1",
            port=_whole(environ, "PORT", 8000, least=1, most=65535),
            web_workers=_whole(environ, "WEB_WORKERS", 2, least=1),
            web_threads=_whole(environ, "WEB_THREADS", 4, least=1),
            send_workers=_whole(environ, "SEND_WORKERS", 0, most=64),
            metrics_token=environ.get("METRICS_TOKEN") or None,
            breached_passwords=_list_file(environ),
            export_days=_whole(environ, "EXPORT_DAYS", 7, least=1, most=365),
            logs_are_json=yes_or_no("LOG_JSON", default=not is_here),
            web_database_role=_web_role(environ),
            traces_url=_traces_url(environ),
            rate_limits=environ.get("RATE_LIMITS", ""),
            pulse_burnout_from=_whole(environ, "PULSE_BURNOUT_FROM", 3, least=2, most=5),
            pulse_least_answers=_whole(environ, "PULSE_LEAST_ANSWERS", 5, least=5, most=100),
        )


def _is_loopback(environ: Mapping[str, str]) -> bool:
    """Say whether only this machine can reach us, so that cookies may travel without TLS.

    Where a proxy of this machine lets others in, HOST says nothing of them: a name does.
    """
    names = {name.lower() for name in (environ.get("HOST") or "localhost", *_hosts(environ))}
    return names <= _THIS_MACHINE and not (_proxies(environ) or environ.get("PUBLIC_URL"))


def _hosts(environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(environ.get("ALLOWED_HOSTS", "").replace(",", " ").split())


def _proxies(environ: Mapping[str, str]) -> int:
    count = _whole(environ, "TRUSTED_PROXIES", 0)
    if count and not environ.get("PUBLIC_URL", "").startswith("https://"):
        raise BadSetting("TRUSTED_PROXIES lets others in: set PUBLIC_URL=https://... for them.")
    return count


def _yes_or_no(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "yes" if default else "no")
    if value not in {"yes", "no"}:
        raise BadSetting(f"{name} must be yes or no, not {value!r}.")
    return value == "yes"


def _data_keys(
    environ: Mapping[str, str], kept: Path
) -> tuple[tuple[tuple[str, bytes], ...], str | None]:
    """Return the keys of DATA_KEYS, of the file DATA_KEY_FILE, or of ``kept``, and which encrypts.

    Each is written ``id:base64`` of 32 random bytes, oldest first, by commas or on its own line;
    with ``:read-only`` behind it where it does not encrypt yet. No file at ``kept``: no key.
    """
    file = environ.get("DATA_KEY_FILE")
    if not (written := environ.get("DATA_KEYS")):
        if file and not Path(file).is_file():
            raise BadSetting("DATA_KEY_FILE names no file.")
        if not file and not kept.exists():
            return (), None
        written = Path(file or kept).read_text()
    return _read_keys(written.replace(",", "\n").split())


def _read_keys(written: Sequence[str]) -> tuple[tuple[tuple[str, bytes], ...], str]:
    found: dict[str, bytes] = {}
    encrypting = ""
    for number, each in enumerate(written, 1):
        key_id, text, *marks = each.split(":") if ":" in each else (each, "")
        try:
            secret = base64.b64decode(text, validate=True)
        except ValueError:
            secret = b""
        is_known = marks in ([], [READ_ONLY])
        if not is_known or not _can_be_named(key_id, found) or len(secret) != 32:  # noqa: PLR2004
            raise BadSetting(f"DATA_KEYS: key {number} is not id:base64 of 32 bytes.")
        found[key_id] = secret
        encrypting = encrypting if marks else key_id
    if not encrypting:
        raise BadSetting("DATA_KEYS: there is no key that encrypts.")
    return tuple(found.items()), encrypting


def _can_be_named(key_id: str, others: Container[str]) -> bool:
    return bool(key_id) and "." not in key_id and key_id not in others


def _data_key_file(environ: Mapping[str, str], kept: Path) -> Path | None:
    return None if environ.get("DATA_KEYS") else Path(environ.get("DATA_KEY_FILE") or kept)


def new_data_key() -> str:
    """Return a new key as it is written: ``id:base64`` of 32 random bytes."""
    return f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def make_data_key(file: Path) -> None:
    """Make the first key of an installation, in ``file``, unless another process just has."""
    _kept_secret(file, lambda: new_data_key() + "\n")


def replace_secret(file: Path, text: str) -> None:
    """Replace a file of secrets as a whole: no process reads half of it, no crash loses both.

    It is on the disk, and so is its name, before this returns. Owner and mode stay, also where
    root writes.
    """
    before = file.stat()
    draft = _draft(file, text, mode=stat.S_IMODE(before.st_mode))
    if os.geteuid() == 0:
        os.chown(draft, before.st_uid, before.st_gid)
    draft.replace(file)
    _sync(file.parent)


def _list_file(environ: Mapping[str, str]) -> Path | None:
    name = environ.get("BREACHED_PASSWORDS")
    if name and not Path(name).is_file():
        raise BadSetting("BREACHED_PASSWORDS names no file.")
    return Path(name) if name else None


def _whole(
    environ: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int = 1_000_000
) -> int:
    value = environ.get(name, str(default))
    is_number = value.isascii() and value.isdigit() and len(value) <= len(str(most))
    if not is_number or not least <= int(value) <= most:
        raise BadSetting(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def _database_url(url: str | None, instance: Path) -> str:
    if not url:
        return f"sqlite:///{instance / 'outreach.sqlite3'}"
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting("DATABASE_URL must begin with sqlite:/// or postgresql://")
    return url


def _web_role(environ: Mapping[str, str]) -> str | None:
    role = environ.get("WEB_DATABASE_ROLE")
    if role and not environ.get("DATABASE_URL", "").startswith("postgres"):
        raise BadSetting("WEB_DATABASE_ROLE needs PostgreSQL, and DATABASE_URL names none.")
    return role or None


def _traces_url(environ: Mapping[str, str]) -> str | None:
    """Return where traces go, by the two variables that OpenTelemetry's standard has for it."""
    whole = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    url = whole or (f"{base.rstrip('/')}/v1/traces" if base else None)
    if url and not url.startswith(("http://", "https://")):
        raise BadSetting("OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://")
    return None if environ.get("TRIAL") == "yes" else url  # nothing leaves the house


def _twilio(environ: Mapping[str, str]) -> TwilioAccount | None:
    sid = environ.get("TWILIO_ACCOUNT_SID")
    if not sid:
        return None
    needed = ("TWILIO_AUTH_TOKEN", "TWILIO_SENDER", "PUBLIC_URL")
    missing = [name for name in needed if not environ.get(name)]
    if missing:
        raise BadSetting(f"TWILIO_ACCOUNT_SID is set, but not {', '.join(missing)}.")
    return TwilioAccount(
        account_sid=sid,
        auth_token=environ["TWILIO_AUTH_TOKEN"],
        sender=environ["TWILIO_SENDER"],
        base_url=environ.get("TWILIO_BASE_URL"),
    )


def _smtp(environ: Mapping[str, str]) -> SmtpServer | None:
    host = environ.get("SMTP_HOST")
    if not host:
        return None
    sender = environ.get("SMTP_FROM", "")
    if "@" not in sender:
        raise BadSetting("SMTP_HOST is set, but SMTP_FROM is no address.")
    security = environ.get("SMTP_SECURITY", "starttls")
    if security not in {"starttls", "tls", "none"}:
        raise BadSetting(f"SMTP_SECURITY must be starttls, tls or none, not {security!r}.")
    user = environ.get("SMTP_USER", "")
    if user and security == "none":
        raise BadSetting("SMTP_USER is set: SMTP_SECURITY must be starttls or tls.")
    return SmtpServer(
        host=host,
        port=_whole(environ, "SMTP_PORT", 465 if security == "tls" else 587, least=1, most=65535),
        sender=sender,
        user=user,
        password=environ.get("SMTP_PASSWORD", ""),
        security=security,
    )


def _kept_secret(path: Path, make: Callable[[], str] = secrets.token_hex) -> str:
    """Return the secret kept at ``path``, made once with mode 600.

    Several processes may start at once: the one whose link succeeds has made it.
    """
    if not path.exists():
        draft = _draft(path, make(), mode=0o600)
        if os.geteuid() == 0:  # those who serve read it, and the folder is theirs
            owner = path.parent.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
        _sync(path.parent)
    return path.read_text().strip()


def _draft(path: Path, text: str, *, mode: int) -> Path:
    """Write ``text`` beside ``path`` and to the disk; return where."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(handle, mode)
        file.write(text)
        file.flush()
        os.fsync(handle)
    return draft


def to_disk(path: Path) -> None:
    """Let a file, and its name, outlive a loss of power."""
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
