"""Serve one installation: migrate, load the demo clinics if empty, start web and scheduler.

Both run as children of this process. A signal stops both cleanly; a scheduler that ends is
started again; a web server that ends, ends everything.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from alembic import command
from alembic.config import Config as AlembicConfig
from argon2 import PasswordHasher

from config import ROOT, BadSetting, Config
from outreach import orm
from outreach.clock import utc_now
from scripts.seed_demo import DEMO_ACCOUNTS, seed_if_empty

STOP_SECONDS = 20


class Children:
    """The web server and the scheduler."""

    def __init__(self, host: str, port: int) -> None:
        self._web = subprocess.Popen(_web_command(host, port), cwd=ROOT)
        self._scheduler = self._start_scheduler()
        self._is_stopping = False

    def watch(self) -> int:
        """Wait until told to stop or until the web server ends; return an exit status."""
        while not self._is_stopping and self._web.poll() is None:
            if self._scheduler.poll() is not None:
                print("The scheduler ended; starting it again.", file=sys.stderr)
                time.sleep(1)
                self._scheduler = self._start_scheduler()
            time.sleep(0.2)
        for child in (self._web, self._scheduler):
            if child.poll() is None:
                child.terminate()
        for child in (self._web, self._scheduler):
            child.wait(STOP_SECONDS)
        return 0 if self._is_stopping else 1

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Begin to stop."""
        self._is_stopping = True

    def _start_scheduler(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "outreach.scheduler.runner"], cwd=ROOT)


def main() -> int:
    """Bring the database up to date, then serve until told to stop."""
    try:
        config = Config.from_environment()
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 2
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    if _is_taken(host, port):
        print(f"Port {port} is in use. Choose another: PORT=8001 ./scripts/run", file=sys.stderr)
        return 2
    _migrate(config)
    password_file = config.instance_path / "demo_password"
    _load_demo(config, password_file)
    children = Children(host, port)
    signal.signal(signal.SIGINT, children.stop)
    signal.signal(signal.SIGTERM, children.stop)
    _say_where(host, port, password_file)
    return children.watch()


def _web_command(host: str, port: int) -> list[str]:
    workers, threads = os.environ.get("WEB_WORKERS", "2"), os.environ.get("WEB_THREADS", "8")
    return [
        sys.executable, "-m", "gunicorn", "outreach.app:create_app()",
        "--bind", f"{host}:{port}", "--worker-class", "gthread",
        "--workers", workers, "--threads", threads, "--preload", "--no-control-socket",
        "--log-level", "warning", "--graceful-timeout", "10",
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


def _load_demo(config: Config, password_file: Path) -> None:
    """Fill an empty database with the demo clinics, under a password made here."""
    engine = orm.make_engine(config.database_url)
    sessions = orm.make_sessions(engine)
    password = "-".join(secrets.choice(_SYLLABLES) + secrets.choice(_SYLLABLES) for _ in range(4))
    if seed_if_empty(sessions, now=utc_now(), hasher=PasswordHasher(), password=password):
        handle = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(password + "\n")
    engine.dispose()


_SYLLABLES = tuple(c + v for c in "bdfgklmnprstv" for v in "aeiou")


def _say_where(host: str, port: int, password_file: Path) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"\nOutreach is at http://{shown}:{port}\n")
    if password_file.exists():
        print("Demo accounts, all with the password " + password_file.read_text().strip())
        for role, email in DEMO_ACCOUNTS:
            print(f"  {role:<14} {email}")
        print("\nThe demo clinics are made up. Ctrl-C stops everything.\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
