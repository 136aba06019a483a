"""Commands of operators run as the units do, whatever stands in the shell they are typed into."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from config import ROOT
from scripts.operating import CannotOperate, environment, settings


def operate(file: Path, *command: str, **shell: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "scripts" / "operate"), *command],
        env={**os.environ, "OUTREACH_ENV": str(file), **shell},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    written = tmp_path / "outreach.env"
    written.write_text(f"# ours\nINSTANCE_PATH={instance}\nRATE_LIMITS=searches=60 looks=600\n")
    return written


def test_settings_are_read_as_systemd_reads_them() -> None:
    text = """
# a comment
; another
DATABASE_URL=postgresql:///outreach?host=/run/postgresql
RATE_LIMITS=searches=60 looks=600\x20
SMTP_FROM="Cedar Creek <a@b.example>"
METRICS_TOKEN=
SMTP_PASSWORD=a$b\\c
"""
    assert settings(text) == {
        "DATABASE_URL": "postgresql:///outreach?host=/run/postgresql",
        "RATE_LIMITS": "searches=60 looks=600",
        "SMTP_FROM": "Cedar Creek <a@b.example>",
        "METRICS_TOKEN": "",
        "SMTP_PASSWORD": "a$b\\c",
    }


@pytest.mark.parametrize("line", ["DATABASE_URL", "export PORT=1", "=x"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(CannotOperate, match="line 2"):
        settings(f"PORT=8000\n{line}\n")


def test_no_setting_of_the_shell_gets_in() -> None:
    given = environment(
        {"PORT": "8000"}, {"DATABASE_URL": "sqlite:///x", "LANG": "C", "PATH": "/b"}
    )

    assert "DATABASE_URL" not in given
    assert (given["LANG"], given["PORT"], given["FLASK_APP"]) == ("C", "8000", "outreach")
    assert given["PATH"].endswith(":/b")


def test_a_command_has_the_settings_of_the_file_and_the_programs_of_the_product(file: Path) -> None:
    told = operate(file, "sh", "-c", "command -v flask; echo $RATE_LIMITS; pwd; umask", PORT="9")

    assert told.returncode == 0, told.stderr
    flask, limits, folder, mask = told.stdout.split("\n")[:4]
    assert flask.endswith("/bin/flask")
    assert (limits, folder) == ("searches=60 looks=600", str(ROOT))
    assert int(mask, 8) == 0o077


def test_root_becomes_the_owner_of_the_instance_folder(file: Path, tmp_path: Path) -> None:
    owner = pwd.getpwuid(os.geteuid())
    if owner.pw_uid == 0:  # nobody else can become another
        owner = pwd.getpwnam("nobody")
        os.chown(tmp_path / "instance", owner.pw_uid, owner.pw_gid)

    assert operate(file, "id", "-un").stdout == f"{owner.pw_name}\n"


def test_what_is_missing_is_said_in_words(file: Path, tmp_path: Path) -> None:
    nowhere = operate(tmp_path / "none.env", "true")
    (tmp_path / "instance").rmdir()
    unmade = operate(file, "true")

    assert (nowhere.returncode, unmade.returncode) == (1, 1)
    assert nowhere.stderr == f"{tmp_path / 'none.env'} is not there.\n"
    assert f"{tmp_path / 'instance'} is not there: start outreach-migrate first" in unmade.stderr
