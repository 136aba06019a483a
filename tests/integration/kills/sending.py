"""What a browser, or the carrier, sends; the rows of the table."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html import unescape
from typing import Any

from werkzeug.test import TestResponse

from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.kills.world import SIGNED, World

Form = Mapping[str, Any]
Filled = Form | Callable[[World], Form]


@dataclass(frozen=True)
class Request:
    """One request. Words in braces are names of the world (``World.named``).

    ``after``: other rows of the table, which were sent before. ``commits``: how many
    transactions it commits. ``later``: so many minutes after people signed in. ``more``: tables
    that hold other rows, and no fewer, once it was sent twice, and ``why`` that is no harm.
    """

    who: str | None
    path: str | Callable[[World], str]
    form: Filled = field(default_factory=dict)
    after: tuple[str, ...] = ()
    commits: int = 1
    later: int = 0
    more: frozenset[str] = frozenset()
    why: str = ""
    is_json: bool = False

    def filled(self, world: World) -> "Request":
        """Return it as a page offers it now; the same again is what is sent a second time."""
        form = self.form(world) if callable(self.form) else self.form
        path = self.path(world) if callable(self.path) else world.named(self.path)
        return replace(
            self,
            path=path,
            form={
                world.named(name): world.named(value) if isinstance(value, str) else value
                for name, value in form.items()
            },
        )

    def send(self, world: World) -> TestResponse:
        """Send it as it is, in a browser that knows nothing of an earlier answer."""
        assert not callable(self.form), "fill it in first"
        world.clock.now = MONDAY_10_CHICAGO + timedelta(minutes=self.later)
        browser = world.browser(self.who)
        if self.is_json:
            return browser.post(self.path, json=self.form)
        headers = SIGNED if self.who is None else {}
        data = {name: value() if callable(value) else value for name, value in self.form.items()}
        return browser.post(self.path, data=data, headers=headers)


def shown(who: str, path: str, **typed: Any) -> Callable[[World], Form]:
    """Return what a page asks to send back as it is, with what was typed over it."""

    def read(world: World) -> Form:
        page = world.browser(who).get(world.named(path))
        assert page.status_code == 200, page.text
        return _hidden(page.text) | _chosen(page.text) | typed

    return read


def proposed(who: str, path: str, **typed: str) -> Callable[[World], Form]:
    """Return what the page of an absence holds once it has proposed who stands in."""

    def read(world: World) -> Form:
        page = world.browser(who).post(world.named(path), data={**typed, "propose": "1"})
        assert page.status_code == 200, page.text
        return _hidden(page.text) | _chosen(page.text) | typed | {"save": "1"}

    return read


def _hidden(page: str) -> dict[str, str]:
    found = {}
    for each in re.findall(r'<input[^>]*type="hidden"[^>]*>', page):
        told = dict(re.findall(r'(\w+)="([^"]*)"', each))
        found[told["name"]] = unescape(told.get("value", ""))
    return found


def _chosen(page: str) -> dict[str, str]:
    chosen = {}
    for name, options in re.findall(
        r'<select[^>]* name="(caller-\d+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        found = re.search(r'value="(\d+)" selected', options)
        chosen[name] = found[1] if found else ""
    return chosen
