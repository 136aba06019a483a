"""Keys of a process that these tests change, and its own again afterwards."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from config import Config
from outreach import sealing
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.upkeep import fitting
from tests.fakes import FakeClock, FakeGateway
from tests.postgres import Server

OLD, NEW = ("old", b"1" * 32), ("new", b"2" * 32)


def written(*keys: tuple[str, bytes]) -> str:
    """Return keys as a file of keys has them."""
    return "\n".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in keys)


@contextmanager
def own_keys_afterwards() -> Iterator[None]:
    """Let the process have its own keys again afterwards, staff numbers' too."""
    before, asked_first = sealing.cipher(), list(sealing._first)
    yield
    sealing.use([OLD])  # which seals from now on
    sealing._in_use[:], sealing._first[:] = [before], asked_first


@pytest.fixture
def with_old_key() -> Iterator[None]:
    """Let the process encrypt with OLD; afterwards with its own, staff numbers too."""
    with own_keys_afterwards():
        sealing.use([OLD])
        yield


@pytest.fixture
def run(config: Config) -> Callable[..., Result]:
    """Run a command of the keys as an operator does, with what the file of keys says now."""
    environ = {"INSTANCE_PATH": str(config.instance_path)}

    def run(*words: str, status: int = 0) -> Result:
        again = Config.from_environment(environ)
        settings = replace(
            config,
            data_keys=again.data_keys,
            data_key_file=again.data_key_file,
            encrypting_key=again.encrypting_key,
        )
        clock = FakeClock()
        app = create_app(Deps(settings, clock, FakeGateway(clock)))
        sealing.ask_first(lambda: fitting.tell(settings))
        result = app.test_cli_runner().invoke(args=["keys", *words])
        with app.app_context():
            db.engine.dispose()
        assert result.exit_code == status, result.output
        return result

    return run


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url
