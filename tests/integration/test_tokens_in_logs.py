"""Who reads a log, a trace or a figure learns no token: a link's opens somebody's account."""

import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import ROOT
from outreach import logs
from outreach.accounts import access_links
from outreach.web.arriving import Worker

TOKEN = "rT5b0q2Lz8nQkYw1cVxT7mJ4hGd3sPaEoUi9fXy6BvN"
LINK = f"/welcome/{TOKEN}"


def fails(*_arguments: object, **_more: object) -> None:
    raise RuntimeError(f"nothing comes of {TOKEN}")


@pytest.mark.parametrize("formatter", [logs.JsonLine("web"), logs.PlainLine("web")])
def test_a_page_that_fails_is_logged_by_name(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    formatter: logging.Formatter,
) -> None:
    app.testing = False
    monkeypatch.setattr(access_links, "owner", fails)

    assert app.test_client().get(LINK).status_code == 500

    lines = [formatter.format(record) for record in caplog.records]
    assert any("accounts.welcome" in line and "RuntimeError" in line for line in lines)
    assert TOKEN not in "".join(lines)


def test_a_link_that_is_none_is_in_no_line_and_no_figure(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    for path in (LINK, f"{LINK}/", f"{LINK}/more", f"/import/check/{TOKEN}"):
        client.get(path)
        client.post(path, data={"password": "x"})
    figures = client.get("/metrics").text

    assert "accounts.welcome" in figures
    assert TOKEN not in figures
    assert TOKEN not in "".join(map(logs.JsonLine("web").format, caplog.records))


def test_the_web_server_itself_logs_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []
    server = Worker.__new__(Worker)
    server.log = SimpleNamespace(
        exception=lambda *words: told.append(words), access=lambda *_words: None
    )
    monkeypatch.setattr("gunicorn.workers.base.default_environ", lambda *_words: {})
    monkeypatch.setattr("gunicorn.workers.base.Response", lambda *_words: SimpleNamespace())
    monkeypatch.setattr("gunicorn.workers.base.util.write_error", lambda *_words: None)
    server.cfg = None

    server.handle_error(
        SimpleNamespace(method="GET", uri=LINK), None, ("127.0.0.1", 1), RuntimeError()
    )

    assert len(told) == 1
    assert TOKEN not in str(told)


def test_the_proxy_cuts_every_token_out_of_the_addresses_that_it_logs(app: Flask) -> None:
    text = (ROOT / "docs" / "deployment" / "nginx.conf").read_text()
    found = re.search(r"map \$uri \$(\w+) \{\n +default \$uri;\n +~\*(\S+) \$before\.\.\.;", text)
    assert found, "nginx cuts what the map names"
    logged = re.findall(r"\$(?:uri|request|request_uri|args|query_string|http_referer)\b", text)
    rules = {rule.rule for rule in app.url_map.iter_rules() if "<token>" in rule.rule}

    assert f'"path":"${found[1]}"' in text
    assert logged.count("$uri") == 2, "both are the map's"
    assert sorted(set(logged)) == ["$request_uri", "$uri"], "the first only leads to https"
    assert {"/welcome/<token>", "/import/check/<token>"} <= rules
    cut = re.compile(found[2].replace("(?<", "(?P<"), re.IGNORECASE)
    for rule in rules:
        path = rule.replace("<token>", TOKEN)
        matched = cut.match(path)
        assert matched, rule
        assert TOKEN not in matched["before"]
