"""Serving one installation: how children end, and whose password is shown."""

import signal
import socket
import time
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from config import Config
from outreach.orm import Sessions
from scripts import serving, web
from scripts.benches.starting import free_port
from scripts.seed_demo import DEMO_ACCOUNTS
from scripts.serving import Children, begin, demo_password, end
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import FAST_HASHER, HASH


def _be_stubborn(pipe: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe.send("ready")
    time.sleep(60)


def test_a_child_that_does_not_stop_when_told_is_ended() -> None:
    here, there = Pipe()
    child = begin(_be_stubborn, there)
    here.recv()

    end([child], seconds=0.2)

    assert child.exitcode == -signal.SIGKILL


def _listen_late(config: Config) -> None:
    time.sleep(0.3)
    with socket.create_server((config.host, config.port)):
        time.sleep(60)


def _end_at_once(_config: Config) -> None:
    pass


def _begun(config: Config, monkeypatch: pytest.MonkeyPatch, pages: object) -> float:
    """Return how long the web server had the machine to itself."""
    here, there = Pipe()
    monkeypatch.setattr(serving, "_serve_pages", pages)
    monkeypatch.setattr(serving, "_HELPERS", {"scheduler": lambda: there.send("begun")})
    children, began = Children(config), time.monotonic()
    children.begin()
    waited = time.monotonic() - began
    assert here.recv() == "begun"
    children.stop(signal.SIGTERM, None)
    children.watch()
    return waited


def test_the_scheduler_begins_when_the_web_server_is_reached(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(config, port=free_port(), send_workers=0)

    assert 0.3 <= _begun(config, monkeypatch, _listen_late) < serving.ALONE_SECONDS
    assert not web.is_reached(config.host, config.port)


def test_a_web_server_that_ends_is_not_waited_for(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(config, port=free_port(), send_workers=0)

    assert _begun(config, monkeypatch, _end_at_once) < serving.ALONE_SECONDS


def test_the_demo_password_is_shown_for_the_demo_database_only(
    sessions: Sessions, tmp_path: Path
) -> None:
    file = tmp_path / "demo_password"

    def shown(hasher: PasswordHasher = FAST_HASHER) -> str | None:
        return demo_password(sessions, file, hasher)

    file.write_text(f"{PASSWORD}\n")
    assert shown() is None  # another database made this file
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for role, email in DEMO_ACCOUNTS:
            make_staff(session, clinic, role, email=email, password_hash=HASH)
    assert shown() == PASSWORD
    file.write_text("of a later demo\n")
    assert shown() is None
    file.unlink()
    assert shown() is None
