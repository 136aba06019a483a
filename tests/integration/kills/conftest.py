"""The world of the table, on both databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import BytecodeCache

from config import Config
from outreach import orm
from outreach.app import create_app
from outreach.deps import Deps
from tests.conftest import FAST_HASHER
from tests.fakes import FakeClock, FakeGateway
from tests.integration.kills.world import World


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    compiled_templates: BytecodeCache,
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kills")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "outreach.sqlite3")
        yield from _world(f"sqlite:///{folder / 'outreach.sqlite3'}", folder, compiled_templates)
        return
    with request.getfixturevalue("postgres").database("template_outreach") as url:
        yield from _world(url, folder, compiled_templates)


def _world(url: str, folder: Path, compiled: BytecodeCache) -> Iterator[World]:
    clock = FakeClock()
    gateway = FakeGateway(clock)
    config = Config(database_url=url, instance_path=folder, secret_key="test " * 8)
    app: Flask = create_app(Deps(config, clock, gateway))
    app.testing = True
    app.jinja_env.bytecode_cache = compiled
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    engine = orm.make_engine(url)
    found = World(app, engine, gateway)
    yield found
    found.database.close()
    found.forget()
