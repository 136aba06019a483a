"""Serve one installation: migrate, load the demo clinics if empty, start web and scheduler.

They run as children of this process, with as many workers as SEND_WORKERS asks for. A signal
stops all cleanly; a scheduler or worker that ends is started again; a web server that ends,
ends everything.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select

from config import ROOT, BadSetting, Config
from outreach import orm
from outreach.accounts.models import StaffMember
from outreach.clock import utc_now
from outreach.orm import Sessions
from outreach.upkeep import fitting, second_wall
from outreach.upkeep.fitting import KeysDontFit
from outreach.upkeep.second_wall import NoWall
from scripts.seed_demo import DEMO_ACCOUNTS, seed_if_empty

STOP_SECONDS = 20
_SAID = {"runner": "scheduler", "worker": "worker"}


class Children:
    """The web server, the scheduler and the workers."""

    def __init__(self, config: Config) -> None:
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(_request_times(config))}
        self._web = subprocess.Popen(_web_command(config), cwd=ROOT, env=environment)
        names = ["runner"] + ["worker"] * config.send_workers
        self._helpers = [(name, self._start(name)) for name in names]
        self._is_stopping = False

    def watch(self) -> int:
        """Wait until told to stop or until the web server ends; return an exit status."""
        while not self._is_stopping and self._web.poll() is None:
            for index, (name, child) in enumerate(self._helpers):
                if child.poll() is not None:
                    print(f"A {_SAID[name]} ended; starting it again.", file=sys.stderr)
                    time.sleep(1)
                    self._helpers[index] = (name, self._start(name))
            time.sleep(0.2)
        end([self._web, *(child for _name, child in self._helpers)], seconds=STOP_SECONDS)
        return 0 if self._is_stopping else 1

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Begin to stop."""
        self._is_stopping = True

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", f"outreach.scheduler.{name}"], cwd=ROOT)


def main() -> int:
    """Bring the database up to date, then serve until told to stop."""
    try:
        config = Config.from_environment()
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 2
    if _is_taken(config.host, config.port):
        print(f"Port {config.port} is in use. Choose another, as PORT=8001.", file=sys.stderr)
        return 2
    try:
        _migrate(config)
        config = Config.from_environment()  # with the key that a new installation just got
        fitting.tell(config)
        second_wall.begin(config)
    except (CommandError, KeysDontFit, NoWall) as error:
        print(error, file=sys.stderr)
        return 2
    password = _load_demo(config)
    children = Children(config)
    signal.signal(signal.SIGINT, children.stop)
    signal.signal(signal.SIGTERM, children.stop)
    _say_where(config, password)
    return children.watch()


def end(children: Sequence[subprocess.Popen[bytes]], *, seconds: float) -> None:
    """Ask every child to end and wait, ``seconds`` in all; end those that did not by force."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            print(f"Process {child.pid} did not end when told; ended by force.", file=sys.stderr)
            child.kill()
            child.wait()


def demo_password(sessions: Sessions, file: Path, hasher: PasswordHasher) -> str | None:
    """Return the password kept in ``file`` if it opens the demo accounts of this database.

    The file outlives the database it was made for, and the folder may serve several.
    """
    with orm.reading(), sessions() as session:
        hashes = session.scalars(
            select(StaffMember.password_hash)
            .where(StaffMember.email.in_([email for _role, email in DEMO_ACCOUNTS]))
            .order_by(StaffMember.id)
        ).all()
    if len(hashes) != len(DEMO_ACCOUNTS) or not file.exists():
        return None
    password = file.read_text().strip()
    try:
        for each in sorted(set(hashes)):
            hasher.verify(each, password)
    except VerifyMismatchError:
        return None
    return password


def _request_times(config: Config) -> Path:
    """Return an empty folder in which the web processes count their requests."""
    folder = config.instance_path / "request_times"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _web_command(config: Config) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "outreach.app:create_app()",
        "--bind", f"{_shown(config.host)}:{config.port}", "--worker-class", "gthread",
        "--workers", str(config.web_workers), "--threads", str(config.web_threads),
        "--preload", "--no-control-socket", "--log-level", "warning", "--graceful-timeout", "10",
    ]  # fmt: skip


def _is_taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _migrate(config: Config) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = config.database_url
    command.upgrade(alembic, "head")


def _load_demo(config: Config) -> str | None:
    """Fill an empty database with the demo clinics; return their password where they are.

    The password is made here and kept in a file that only the owner can read.
    """
    engine = orm.make_engine(config.database_url)
    sessions, hasher = orm.make_sessions(engine), PasswordHasher()
    file = config.instance_path / "demo_password"
    fresh = "-".join(secrets.choice(_SYLLABLES) + secrets.choice(_SYLLABLES) for _ in range(4))
    if seed_if_empty(sessions, now=utc_now(), hasher=hasher, password=fresh):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as kept:
            kept.write(fresh + "\n")
    password = demo_password(sessions, file, hasher)
    engine.dispose()
    return password


_SYLLABLES = tuple(c + v for c in "bdfgklmnprstv" for v in "aeiou")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say_where(config: Config, password: str | None) -> None:
    if not config.is_loopback and not (config.public_url or "").startswith("https://"):
        print("Reached over a network, sign-in needs TLS: set PUBLIC_URL=https://...")
    print(f"\nOutreach is at http://{_shown(config.host)}:{config.port}\n", flush=True)
    if password is not None:
        print(f"Demo accounts, all with the password {password}")
        for role, email in DEMO_ACCOUNTS:
            print(f"  {role:<14} {email}")
        print("\nThe demo clinics are made up. Ctrl-C stops everything.\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
