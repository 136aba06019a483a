"""Names of hosts that are not ours, and files that are not what they seem."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from config import BadSetting, Config
from outreach.accounts.models import Clinic, StaffMember
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.intake.forms import MOST_FILES
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_staff
from tests.conftest import FAST_HASHER, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.unit.intake.builders import a_row, a_table

EVIL = "evil.example"
OURS = "outreach.example"
HOSTS = {OURS: 200, f"{OURS}:8443": 200, "127.0.0.1": 200, EVIL: 400}
MONITORED = ("/healthz", "/readyz", "/metrics")


@pytest.fixture
def named(
    config: Config, clock: FakeClock, gateway: FakeGateway, sessions: Sessions
) -> Iterator[Flask]:
    """The product where it was told its names."""
    assert sessions
    told = replace(config, allowed_hosts=(OURS,), public_url=f"https://{OURS}")
    app = create_app(Deps(told, clock, gateway))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "host",
    [
        EVIL, f"{OURS}.{EVIL}", f"{EVIL}:443", f"x{OURS}", f"{OURS}@{EVIL}", "", "a b", "[::1",
        f"{EVIL}@10.0.0.12", f"10.0.0.12.{EVIL}",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/sign-in", "/healthz", "/metrics", "/nowhere", "/static/css/app.css"]
)
def test_a_host_that_is_not_ours_gets_no_page(named: Flask, host: str, path: str) -> None:
    answer = named.test_client().get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert answer.data == b""


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "10.0.0.12:8000", "[::1]:8000", "[fd00::7]", "localhost", OURS]
)
def test_a_monitor_asks_a_machine_by_its_address(named: Flask, host: str) -> None:
    """No page of a stranger can: what it was told leads elsewhere has a name."""
    client = named.test_client()
    pages = {path: client.get(path, headers={"Host": host}) for path in MONITORED}

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(MONITORED, 200)
    assert all(host not in page.text for page in pages.values())
    assert client.get("/sign-in", headers={"Host": host}).status_code == (
        200 if host == OURS else 400
    )


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"])
def test_a_forwarded_host_is_believed_of_nobody_whom_we_do_not_trust(
    app: Flask, manager: StaffMember, header: str
) -> None:
    client = app.test_client()
    value = f"host={EVIL}" if header == "Forwarded" else EVIL
    data = {"email": manager.email, "password": "wrong"}
    for answer in (
        client.get("/sign-in", headers={header: value}),
        client.get("/reports/today", headers={header: value}),
        client.post("/sign-in", data=data, headers={header: value}),
    ):
        assert EVIL not in answer.text
        assert EVIL not in str(answer.headers)


def test_who_was_told_no_names_answers_to_its_own_and_to_no_other(
    app: Flask, manager: StaffMember
) -> None:
    client = app.test_client()
    sign_in(client, manager)
    for path in ("/reports/today", "/patients/", "/import/", "/my-sign-in/", "/nowhere", "/"):
        answer = client.get(path, headers={"Host": EVIL})
        assert (answer.status_code, answer.data) == (400, b""), path
        assert EVIL not in str(answer.headers), path
    for own in ("localhost", "localhost:8000", "127.0.0.1:8000"):
        assert client.get("/sign-in", headers={"Host": own}).status_code == 200
    assert client.get("/readyz", headers={"Host": EVIL}).status_code == 200  # a monitor's way


def test_an_address_from_outside_is_a_name_and_without_any_nothing_starts(
    config: Config, clock: FakeClock, gateway: FakeGateway
) -> None:
    outside = replace(config, is_loopback=False)
    with pytest.raises(BadSetting, match="ALLOWED_HOSTS"):
        create_app(Deps(outside, clock, gateway))

    app = create_app(Deps(replace(outside, public_url=f"https://{OURS}:8443"), clock, gateway))

    asked = {host: app.test_client().get("/sign-in", headers={"Host": host}) for host in HOSTS}
    assert {host: each.status_code for host, each in asked.items()} == HOSTS


def test_a_link_to_set_a_password_leads_to_the_public_address(
    named: Flask, sessions: Sessions, manager: StaffMember, clinic: Clinic
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, clinic)
    named.config["SESSION_COOKIE_SECURE"] = False
    client = named.test_client()
    ours = {"Host": OURS}
    data = {"email": manager.email, "password": "correct horse battery"}
    assert client.post("/sign-in", data=data, base_url=f"https://{OURS}").status_code == 302
    page = client.post(f"/staff/{person.id}/link", base_url=f"https://{OURS}", headers=ours)

    assert page.status_code == 200
    found = re.findall(r"https?://[^/\s\"<]+/welcome/", page.text)
    assert set(found) == {f"https://{OURS}/welcome/"}


def send(client: FlaskClient, *files: tuple[bytes, str]) -> TestResponse:
    chosen = [(io.BytesIO(content), name) for content, name in files]
    return client.post("/import/", data={"files": chosen}, content_type="multipart/form-data")


GOOD = a_table(a_row()).encode()


@pytest.mark.parametrize(
    "name",
    [
        "../../../../tmp/owned.csv", "..\\..\\owned.csv", "/etc/cron.d/owned", "about.json",
        "<script>alert(1)</script>.csv", "a%0d%0aSet-Cookie: x=1.csv", "x" * 3000 + ".csv",
        ".htaccess",
    ],
)  # fmt: skip
def test_the_name_of_a_file_is_never_a_place(
    client: FlaskClient, manager: StaffMember, config: Config, name: str
) -> None:
    sign_in(client, manager)

    checked = client.get(send(client, (GOOD, name), (GOOD, "second.csv")).location)

    (folder,) = config.uploads.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "about.json"]
    assert checked.status_code == 200
    assert "<script>alert" not in checked.text
    assert checked.headers.getlist("Set-Cookie") == [
        each for each in checked.headers.getlist("Set-Cookie") if each.startswith("outreach=")
    ]
    assert not Path("/tmp/owned.csv").exists()  # noqa: S108 - where the name leads


def test_what_waits_to_be_brought_in_says_nothing_to_whoever_copies_the_folder(
    client: FlaskClient, manager: StaffMember, config: Config, sessions: Sessions
) -> None:
    """Neither the rows, nor what their check says of them; and they are brought in all the same."""
    sign_in(client, manager)
    wrong = a_row(mrn="LS2", given_name="Evaristo", date_of_birth="yesterday")

    address = send(client, (a_table(a_row(), wrong).encode(), "patients.csv")).location
    lying = b"".join(path.read_bytes() for path in config.uploads.rglob("*") if path.is_file())
    told = client.get(address).text
    client.post(address)

    assert "yesterday" in told
    assert lying
    assert not [each for each in ("Evaristo", "LS2", "yesterday", "Rosa") if each.encode() in lying]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 1


NOT_TABLES = {
    "a zip": b"PK\x03\x04" + b"\0" * 5000,
    "a program": b"\x7fELF" + bytes(range(256)),
    "UTF-16": "mrn,given_name\n".encode("utf-16"),
    "nothing": b"",
    "zero bytes": b"mrn,\0given_name\nLS1,x\n",
    "deep JSON": b'{"resourceType":"Bundle","entry":' + b"[" * 200_000,
    "a list": b"[]",
    "entities": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;',
    "a page": b"<html><script>alert(1)</script></html>",
}


@pytest.mark.parametrize("content", NOT_TABLES.values(), ids=NOT_TABLES)
def test_what_is_no_table_is_refused_and_not_kept(
    client: FlaskClient, sessions: Sessions, manager: StaffMember, config: Config, content: bytes
) -> None:
    sign_in(client, manager)

    answer = send(client, (content, "patients.csv"))

    assert answer.status_code == 422
    assert "root:" not in answer.text
    assert "<script>alert" not in answer.text
    assert list(config.uploads.glob("*/*")) == []
    with sessions() as session:
        assert session.scalars(select(Patient)).all() == []


def test_too_many_files_and_too_large_ones_are_refused(
    app: Flask, manager: StaffMember, config: Config
) -> None:
    client = app.test_client()
    sign_in(client, manager)
    many = send(client, *((GOOD, f"{n}.csv") for n in range(MOST_FILES + 1)))
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    large = send(client, (b"x" * 20_000, "large.csv"))

    assert many.status_code == 422
    assert large.status_code == 413
    assert list(config.uploads.glob("*/*")) == []


@pytest.mark.parametrize("token", ["..", "%2e%2e", "..%2f..", "0" * 31, "G" * 32, "0" * 32 + "%00"])
def test_no_token_leads_out_of_the_folder(
    client: FlaskClient, manager: StaffMember, config: Config, token: str
) -> None:
    sign_in(client, manager)
    send(client, (GOOD, "patients.csv"))
    (config.uploads / "about.json").write_text(json.dumps({"clinic": "HERE"}))
    kept = sorted(config.uploads.rglob("*"))

    assert client.get(f"/import/check/{token}").status_code in {400, 404}
    assert client.post(f"/import/check/{token}").status_code in {400, 404}
    client.post(f"/import/check/{token}/discard")
    assert sorted(config.uploads.rglob("*")) == kept


def test_a_cell_that_a_spreadsheet_would_run_stays_text(
    client: FlaskClient, manager: StaffMember
) -> None:
    sign_in(client, manager)
    cells = ("=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1")
    table = a_table(*(a_row(mrn=f"L{n}", language=cell) for n, cell in enumerate(cells)))
    where = send(client, (table.encode(), "=cmd.csv"), (GOOD, "b.csv")).location

    lines = client.get(f"{where}/problems.csv").text.splitlines()

    assert len(lines) > len(cells)
    assert [line for line in lines if line.lstrip('"')[:1] in tuple("=+-@\t\r")] == []
