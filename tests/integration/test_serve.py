"""Serving one installation: how children end, and whose password is shown."""

import signal
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from argon2 import PasswordHasher

from outreach.orm import Sessions
from scripts.seed_demo import DEMO_ACCOUNTS
from scripts.serving import begin, demo_password, end
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
