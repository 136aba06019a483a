"""The product, loaded once: what each process of an installation goes on from.

The web server, the scheduler and as many workers as SEND_WORKERS asks for are forked from this
process: none of them loads again what the others have, and they share its memory. So nothing
here may leave a connection or a thread behind. A signal stops all cleanly; a scheduler or worker
that ends is started again; a web server that ends, ends everything.
"""

import multiprocessing
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType, ModuleType

import gunicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from gunicorn.app import wsgiapp
from sqlalchemy import select

from config import ROOT, Config
from outreach import app, garbage, orm, traces, versions
from outreach.accounts.models import Clinic, StaffMember
from outreach.clock import NoTimeZones, need_time_zones, utc_now
from outreach.errors import RuleBroken
from outreach.orm import Sessions
from outreach.sealing import is_either
from outreach.upkeep import fitting, second_wall
from outreach.upkeep.fitting import KeysDontFit
from outreach.upkeep.second_wall import NoWall
from scripts import web

STOP_SECONDS = 20
ALONE_SECONDS = 10  # of the web server's, at most, until the scheduler begins
_LOADED = app  # what gunicorn asks for by name
_FORK = multiprocessing.get_context("fork")


class CannotServe(RuleBroken):
    """The database can't be brought up to date; the message says why."""


class Children:
    """The web server, the scheduler and the workers."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._is_stopping = False

    def begin(self) -> None:
        """Start all, the web server first: people wait for it.

        Until it is reached it has the machine to itself: the scheduler loads what it needs, and
        to try a password takes as long as loading half the product.
        """
        self._web = begin(_serve_pages, self._config)
        self._wait_for_web()
        names = ["scheduler"] + ["worker"] * self._config.send_workers
        self._helpers = [(name, begin(_HELPERS[name])) for name in names]

    def _wait_for_web(self) -> None:
        ends_at = time.monotonic() + ALONE_SECONDS
        while self._web.is_alive() and not self._is_stopping and time.monotonic() < ends_at:
            if web.is_reached(self._config.host, self._config.port):
                return
            time.sleep(0.01)

    def watch(self) -> int:
        """Wait until told to stop or until the web server ends; return an exit status."""
        while not self._is_stopping and self._web.is_alive():
            for index, (name, child) in enumerate(self._helpers):
                if not child.is_alive():
                    print(f"A {name} ended; starting it again.", file=sys.stderr)
                    time.sleep(1)
                    self._helpers[index] = (name, begin(_HELPERS[name]))
            time.sleep(0.2)
        end([self._web, *(child for _name, child in self._helpers)], seconds=STOP_SECONDS)
        return 0 if self._is_stopping else 1

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Begin to stop."""
        self._is_stopping = True


def serve(config: Config) -> int:
    """Bring the database up to date, then serve until told to stop."""
    try:
        need_time_zones()
        _bring_up_to_date(config)
        config = Config.from_environment()  # with the key that a new installation just got
        fitting.tell(config)
        second_wall.begin(config)
    except (CannotServe, KeysDontFit, NoTimeZones, NoWall) as error:
        print(error, file=sys.stderr)
        return 2
    _load_demo(config)
    # Once, here: else each process would by itself, all at the same time.
    garbage.leave_what_is_loaded()
    children = Children(config)
    signal.signal(signal.SIGINT, children.stop)
    signal.signal(signal.SIGTERM, children.stop)
    children.begin()
    _say_where(config, _password_of_demo(config))
    return children.watch()


def begin(run: Callable[..., object], *arguments: object) -> ForkProcess:
    """Start a process that goes on from here with ``run``."""
    child = _FORK.Process(target=_go_on, args=(run, *arguments), daemon=True)
    child.start()
    return child


def end(children: Sequence[ForkProcess], *, seconds: float) -> None:
    """Ask every child to end and wait, ``seconds`` in all; end those that did not by force."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + seconds
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
        if child.is_alive():
            print(f"Process {child.pid} did not end when told; ended by force.", file=sys.stderr)
            child.kill()
            child.join()


def demo_password(sessions: Sessions, file: Path, hasher: PasswordHasher) -> str | None:
    """Return the password kept in ``file`` if it opens the demo accounts of this database.

    The file outlives the database it was made for, and the folder may serve several.
    """
    demo = _demo()
    with orm.reading(), sessions() as session:
        hashes = session.scalars(
            select(StaffMember.password_hash)
            .where(is_either(StaffMember.email, *(email for _role, email in demo.DEMO_ACCOUNTS)))
            .order_by(StaffMember.id)
        ).all()
    if len(hashes) != len(demo.DEMO_ACCOUNTS) or not file.exists():
        return None
    password = file.read_text().strip()
    try:
        for each in sorted(set(hashes)):
            hasher.verify(each, password)
    except VerifyMismatchError:
        return None
    return password


def _go_on(run: Callable[..., object], *arguments: object) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)  # until ``run`` has its own
    try:
        run(*arguments)
    finally:
        traces.end()


def _serve_pages(config: Config) -> None:
    """Be gunicorn, as on a command line: it starts itself anew from these words when told."""
    program = str(Path(gunicorn.__file__).with_name("__main__.py"))
    sys.argv = [program, *web.words(config)]
    wsgiapp.run()


def _schedule() -> None:
    from outreach.scheduler import runner  # noqa: PLC0415 - loaded while pages are served already

    runner.main()


def _send() -> None:
    from outreach.scheduler import worker  # noqa: PLC0415 - as the scheduler

    worker.main()


_HELPERS: Mapping[str, Callable[[], None]] = {"scheduler": _schedule, "worker": _send}


def _bring_up_to_date(config: Config) -> None:
    engine = orm.make_engine(config.database_url)
    try:
        with orm.reading(), engine.connect() as connection:
            is_current = versions.trouble(connection) is None and bool(config.data_keys)
        if is_current:
            orm.use_wal(engine)  # a copy that was put in its place may lack it
    finally:
        engine.dispose()
    if not is_current:
        _migrate(config)


def _migrate(config: Config) -> None:
    # Alembic would load itself and every migration to find that there is none to run.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = config.database_url
    try:
        command.upgrade(alembic, "head")
    except CommandError as error:
        raise CannotServe(str(error)) from error


def _load_demo(config: Config) -> None:
    """Fill an empty database with the demo clinics.

    Their password is made here and kept in a file that only the owner can read.
    """
    engine = orm.make_engine(config.database_url)
    fresh = "-".join(secrets.choice(_SYLLABLES) + secrets.choice(_SYLLABLES) for _ in range(4))
    sessions, hasher = orm.make_sessions(engine), PasswordHasher()
    if _is_empty(sessions) and _demo().seed_if_empty(
        sessions, now=utc_now(), hasher=hasher, password=fresh
    ):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(_password_file(config), flags, 0o600), "w") as kept:
            kept.write(fresh + "\n")
    engine.dispose()


def _is_empty(sessions: Sessions) -> bool:
    with orm.reading(), sessions() as session:
        return session.scalar(select(Clinic.id).limit(1)) is None


def _demo() -> ModuleType:
    """Load what fills an empty database: nobody waits for it elsewhere."""
    from scripts import seed_demo  # noqa: PLC0415

    return seed_demo


def _password_of_demo(config: Config) -> str | None:
    """Return it where it opens the demo's accounts: to try that takes long, on purpose."""
    engine = orm.make_engine(config.database_url)
    try:
        return demo_password(orm.make_sessions(engine), _password_file(config), PasswordHasher())
    finally:
        engine.dispose()


def _password_file(config: Config) -> Path:
    return config.instance_path / "demo_password"


_SYLLABLES = tuple(c + v for c in "bdfgklmnprstv" for v in "aeiou")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say_where(config: Config, password: str | None) -> None:
    if not config.is_loopback and not (config.public_url or "").startswith("https://"):
        print("Reached over a network, sign-in needs TLS: set PUBLIC_URL=https://...")
    print(f"\nOutreach is at http://{_shown(config.host)}:{config.port}\n", flush=True)
    if password is not None:
        print(f"Demo accounts, all with the password {password}")
        for role, email in _demo().DEMO_ACCOUNTS:
            print(f"  {role:<14} {email}")
        print("\nThe demo clinics are made up. Ctrl-C stops everything.\n", flush=True)
