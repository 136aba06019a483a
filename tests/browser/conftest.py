"""A real browser on a real server, with a stopped clock and a carrier that keeps its texts."""

import logging
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from config import Config
from outreach.accounts.models import StaffMember
from outreach.app import create_app
from outreach.deps import Deps
from tests.builders import PASSWORD
from tests.conftest import FAST_HASHER
from tests.fakes import FakeClock, FakeGateway

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FLAGS = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run "
    "--no-default-browser-check --disable-background-networking --disable-component-update "
    "--disable-sync --disable-features=OptimizationHints,MediaRouter,Translate"
).split()


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Browser journeys run on SQLite; what they call is tested on both databases."""
    path = tmp_path / "outreach.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert executable, "Chromium is needed: ./scripts/test installs it, or says how"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def app(
    config: Config, clock: FakeClock, gateway: FakeGateway, compiled_templates: BytecodeCache
) -> Flask:
    """The product as it is in use: with form tokens checked.

    Built in a thread of its own: Playwright runs an event loop in this one, and closing an
    app context inside an event loop is refused.
    """
    with ThreadPoolExecutor(1) as thread:
        app = thread.submit(create_app, Deps(config, clock, gateway)).result()
    app.jinja_env.bytecode_cache = compiled_templates
    app.extensions["password_hasher"] = FAST_HASHER
    return app


@pytest.fixture
def served(app: Flask) -> Any:
    """What answers the browser: the product, which a test may put something around."""
    return app


@pytest.fixture
def address(served: Any) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, answering_whole(served), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def answering_whole(app: "WSGIApplication") -> "WSGIApplication":
    """Close what was answered before it is sent: werkzeug doesn't where the browser hung up."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        pieces = app(environ, start)
        try:
            return [b"".join(pieces)]
        finally:
            getattr(pieces, "close", lambda: None)()

    return answer


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test on any script error or broken policy."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda message: (
            troubles.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    assert troubles == []


def sign_in(page: Page, person: StaffMember) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def without_javascript(context: BrowserContext, person: StaffMember) -> BrowserContext:
    """Return a browser without scripts, ``person`` signed in; whoever asks closes it."""
    first = context.new_page()
    sign_in(first, person)
    browser = context.browser
    assert browser is not None
    return browser.new_context(
        base_url=first.url.split("/queue")[0],
        java_script_enabled=False,
        storage_state=context.storage_state(),
    )
