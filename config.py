"""Every setting of one installation, by name; the only reader of the environment."""

import base64
import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent


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


def _fleeting_key() -> tuple[tuple[str, bytes], ...]:
    return (("fleeting", secrets.token_bytes(32)),)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of one running installation.

    ``public_url`` is the address Twilio reaches us at; its signatures cover it.
    ``trusted_proxies`` counts the reverse proxies whose X-Forwarded headers we believe.
    ``send_workers`` processes send texts beside the scheduler, which does so too.
    ``export_days``: how long a file that somebody asked for can be picked up.
    ``conversation_minutes``: how long automatic texts wait after a patient wrote one.
    ``metrics_token`` is what a monitor sends for ``/metrics``; without one only monitors on
    this machine are answered.
    ``is_loopback`` allows cookies without TLS, for a trial on one's own machine only.
    ``data_keys``: id and 32 bytes of each key that values at rest are encrypted with, oldest
    first; without any, one that dies with this object.
    ``requires_second_factor``: nurses, managers, administrators and auditors set one up before
    anything else. ``administrators_need_reason``: they open a patient only with a reason, for
    an hour, and managers see it.
    """

    database_url: str
    instance_path: Path
    secret_key: str
    public_url: str | None = None
    trusted_proxies: int = 0
    is_loopback: bool = True
    allowed_hosts: tuple[str, ...] = ()
    twilio: TwilioAccount | None = None
    upload_bytes: int = 64 * 1024 * 1024
    idle_minutes: int = 15
    conversation_minutes: int = 30
    session_hours: int = 12
    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 2
    web_threads: int = 8
    send_workers: int = 0
    metrics_token: str | None = None
    requires_second_factor: bool = False
    administrators_need_reason: bool = False
    data_keys: tuple[tuple[str, bytes], ...] = field(default_factory=_fleeting_key, repr=False)
    export_days: int = 7

    @property
    def exports(self) -> Path:
        """The folder of files that people asked for."""
        return self.instance_path / "exports"

    @property
    def uploads(self) -> Path:
        """The folder of files that wait to be imported."""
        return self.instance_path / "uploads"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read every setting; make the instance folder and its secret key on first use.

        Raises:
            BadSetting: a value can't be used; the message names the variable.
        """
        instance = Path(environ.get("INSTANCE_PATH", ROOT / "instance")).resolve()
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        public_url = environ.get("PUBLIC_URL")
        hosts = environ.get("ALLOWED_HOSTS", "")
        return cls(
            database_url=_database_url(environ.get("DATABASE_URL"), instance),
            instance_path=instance,
            secret_key=_kept_secret(instance / "secret_key"),
            public_url=public_url.rstrip("/") if public_url else None,
            trusted_proxies=_whole(environ, "TRUSTED_PROXIES", 0),
            is_loopback=_is_loopback(environ.get("HOST"), public_url),
            allowed_hosts=tuple(host for host in hosts.split(",") if host),
            data_keys=_data_keys(environ, instance / "data_keys"),
            requires_second_factor=_yes_or_no(
                environ,
                "REQUIRE_SECOND_FACTOR",
                default=not _is_loopback(environ.get("HOST"), public_url),
            ),
            administrators_need_reason=_yes_or_no(
                environ,
                "ADMINISTRATORS_NEED_REASON",
                default=not _is_loopback(environ.get("HOST"), public_url),
            ),
            twilio=_twilio(environ, public_url),
            upload_bytes=_whole(environ, "UPLOAD_MEGABYTES", 64) * 1024 * 1024,
            idle_minutes=_whole(environ, "IDLE_MINUTES", 15),
            conversation_minutes=_whole(environ, "CONVERSATION_MINUTES", 30, most=1440),
            host=environ.get("HOST") or "127.0.0.1",
            port=_whole(environ, "PORT", 8000, least=1, most=65535),
            web_workers=_whole(environ, "WEB_WORKERS", 2, least=1),
            web_threads=_whole(environ, "WEB_THREADS", 8, least=1),
            send_workers=_whole(environ, "SEND_WORKERS", 0, most=64),
            metrics_token=environ.get("METRICS_TOKEN") or None,
            export_days=_whole(environ, "EXPORT_DAYS", 7, least=1, most=365),
        )


def _is_loopback(host: str | None, public_url: str | None) -> bool:
    """Say whether only this machine can reach us, so that cookies may travel without TLS."""
    is_here = host in (None, "", "127.0.0.1", "::1", "localhost")
    return is_here and not (public_url or "").startswith("https://")


def _yes_or_no(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "yes" if default else "no")
    if value not in {"yes", "no"}:
        raise BadSetting(f"{name} must be yes or no, not {value!r}.")
    return value == "yes"


def _data_keys(environ: Mapping[str, str], kept: Path) -> tuple[tuple[str, bytes], ...]:
    """Return the keys of DATA_KEYS, of the file DATA_KEY_FILE, or of a file made on first use.

    Each is written ``id:base64`` of 32 random bytes, oldest first, by commas or on its own line.
    """
    file = environ.get("DATA_KEY_FILE")
    if not (written := environ.get("DATA_KEYS")):
        if file and not Path(file).is_file():
            raise BadSetting("DATA_KEY_FILE names no file.")
        written = Path(file).read_text() if file else _kept_secret(kept, _new_data_key)
    found: dict[str, bytes] = {}
    for number, each in enumerate(written.replace(",", "\n").split(), 1):
        key_id, _, text = each.partition(":")
        try:
            secret = base64.b64decode(text, validate=True)
        except ValueError:
            secret = b""
        if not key_id or "." in key_id or key_id in found or len(secret) != 32:  # noqa: PLR2004
            raise BadSetting(f"DATA_KEYS: key {number} is not id:base64 of 32 bytes.")
        found[key_id] = secret
    if not found:
        raise BadSetting("DATA_KEYS: there is no key.")
    return tuple(found.items())


def _new_data_key() -> str:
    return f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _new_secret() -> str:
    return secrets.token_hex(32)


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


def _twilio(environ: Mapping[str, str], public_url: str | None) -> TwilioAccount | None:
    sid = environ.get("TWILIO_ACCOUNT_SID")
    if not sid:
        return None
    missing = [n for n in ("TWILIO_AUTH_TOKEN", "TWILIO_SENDER") if not environ.get(n)]
    if not public_url:
        missing.append("PUBLIC_URL")
    if missing:
        raise BadSetting(f"TWILIO_ACCOUNT_SID is set, but not {', '.join(missing)}.")
    return TwilioAccount(
        account_sid=sid,
        auth_token=environ["TWILIO_AUTH_TOKEN"],
        sender=environ["TWILIO_SENDER"],
        base_url=environ.get("TWILIO_BASE_URL"),
    )


def _kept_secret(path: Path, make: Callable[[], str] = _new_secret) -> str:
    """Return the secret kept at ``path``, made once with mode 600.

    Several processes may start at once: the one whose link succeeds has made it.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(make())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()
