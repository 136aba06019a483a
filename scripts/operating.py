"""A command of an operator, with the settings and as the user of systemd's units.

Run by ``scripts/operate``. The settings stand in a file that only root reads; whoever types them
anew, or leaves one out, asks another database.
"""

import os
import pwd
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from config import ROOT

SETTINGS = "/etc/outreach/outreach.env"
ELSEWHERE = "OUTREACH_ENV"  # names another file
_KEPT = ("LANG", "LC_ALL", "TERM", "TZ", "PATH")
_QUOTES = ("'", '"')


class CannotOperate(RuntimeError):
    """The command can't be run as the units would; the message says why."""


def settings(text: str) -> dict[str, str]:
    """Read the lines of a systemd EnvironmentFile: no shell, so a value may hold spaces.

    Raises:
        CannotOperate: a line is none.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if not words or words.startswith(("#", ";")):
            continue
        name, sign, value = words.partition("=")
        if not sign or not name.isidentifier():
            raise CannotOperate(f"line {number} is no NAME=value")
        is_quoted = value.startswith(_QUOTES)
        found[name] = "".join(shlex.split(value)) if is_quoted else value.strip()
    return found


def environment(told: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return what a command is given: the settings, and of the caller's shell no setting."""
    kept = {name: own[name] for name in _KEPT if name in own}
    programs = f"{Path(sys.executable).parent}:{kept.get('PATH', os.defpath)}"
    return {**kept, "FLASK_APP": "outreach", **told, "PATH": programs}


def become(folder: Path) -> None:
    """Become the owner of the instance folder, as root; files that are made are then theirs.

    Raises:
        CannotOperate: it is not there.
    """
    if not folder.is_dir():
        raise CannotOperate(f"{folder} is not there: start outreach-migrate first")
    owner = pwd.getpwuid(folder.stat().st_uid)
    if os.geteuid() == 0 and owner.pw_uid != 0:
        os.initgroups(owner.pw_name, owner.pw_gid)
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)
    os.umask(0o077)


def main(command: list[str]) -> None:
    """Become the command; end in words where that can't be."""
    file = Path(os.environ.get(ELSEWHERE, SETTINGS))
    if not command:
        sys.exit("scripts/operate COMMAND, such as: scripts/operate flask check invariants")
    try:
        told = settings(file.read_text())
        become(Path(told.get("INSTANCE_PATH", ROOT / "instance")))
        os.execvpe(command[0], command, environment(told, os.environ))  # noqa: S606
    except PermissionError as error:
        sys.exit(f"{error.filename or command[0]} is not for you: run it as root (sudo).")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename or command[0]} is not there.")
    except CannotOperate as error:
        sys.exit(f"{file}: {error}.")


if __name__ == "__main__":
    main(sys.argv[1:])
