"""Serving one installation: how children end, and whose password is shown."""

import subprocess
import sys
from pathlib import Path

from argon2 import PasswordHasher

from outreach.orm import Sessions
from scripts.seed_demo import DEMO_ACCOUNTS
from scripts.serve import demo_password, end
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import FAST_HASHER, HASH

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_child_that_does_not_stop_when_told_is_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()

        end([child], seconds=0.2)

        assert child.poll() == -9


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
