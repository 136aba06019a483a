"""Promises about the whole code base that no type checker keeps."""

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config import ROOT

PACKAGE = ROOT / "outreach"
EDGES = {
    "views", "queue_views", "recording_views", "rota_views", "call_views", "outcome_views",
    "security_views", "staff_views", "region_views", "list_views", "webhooks", "cli",
}  # fmt: skip
DRIVERS = {"turns", "read_only"}  # how the drivers end a transaction, not when
NEAR_FLASK = EDGES | {
    "commands",  # what every group of commands is made of
    "sent",
    "forms",
    "card_forms",
    "fields",
    "labels",
    "definitions",
    "team_words",
    "needs",
    "question",
    "graphs",
    "access",
    "devices",
    "app",
    "db",
    "deps",
}
TOO_WIDE = {"utils", "helpers", "services", "common", "managers", "base", "misc"}
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "README.md",
    "config.py",
    "docs",
    "outreach",
    "pyproject.toml",
    "requirements-dev.in",
    "requirements-dev.txt",
    "requirements.in",
    "requirements.txt",
    "scripts",
    "templates",
    "tests",
}
# Pages that need no sign-in: the door itself, links to it, static files, health, and the
# carrier's reports; and the API, for which a key is needed instead (test_api.py).
OPEN_TO_ALL = {
    "static",
    "upkeep.healthz",
    "upkeep.readyz",
    "upkeep.metrics",
    "accounts.sign_in",
    "accounts.sign_out",
    "accounts.second_step",
    "accounts.passkey",
    "accounts.passkey_question",
    "accounts.welcome",
    "messaging_webhooks.sms_status",
    "inbox_webhooks.incoming",
    "phoning_webhooks.incoming",
    "phoning_webhooks.answered",
    "phoning_webhooks.key",
    "phoning_webhooks.over",
    "phoning_webhooks.staff_leg",
    "phoning_webhooks.patient_leg",
    "phoning_webhooks.answered_by",
    "fhir.capabilities",
    "fhir.description",
    "fhir.search",
    "fhir.read",
    "fhir.nothing",
}
LONGEST_MODULE = 400


def modules() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def tracked() -> list[str]:
    done = subprocess.run(
        ["git", "ls-files"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_edges_commit() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.stem not in EDGES | DRIVERS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]

    assert guilty == []


def test_flask_stays_at_the_edges() -> None:
    guilty = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        if path.stem not in NEAR_FLASK and path.parent.name != "web"
        for name in imported(path)
        if re.match(r"flask|wtforms|werkzeug|outreach\.(db|deps)\b", name)
        and path != PACKAGE / "__init__.py"
    ]

    assert guilty == []


def test_rules_know_no_tables_and_models_know_no_use_cases() -> None:
    guilty = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        if path.stem == "rules" or path.parent.name == "rules" or path.stem == "models"
        for name in imported(path)
        if name.startswith("outreach.")
        and not re.search(r"\.(rules(\.\w+)?|models|orm|sealing|gateway)$|^outreach\.errors$", name)
        and "outreach.telephony.gateway" not in name
    ]

    assert guilty == []


def test_only_the_clock_module_reads_the_clock() -> None:
    pattern = re.compile(r"datetime\.(now|utcnow)\(|date\.today\(|time\.time\(")
    guilty = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.name != "clock.py" and pattern.search(path.read_text())
    ]

    assert guilty == []


def test_no_file_has_a_name_that_can_grow_without_end() -> None:
    assert [str(path) for path in modules() if path.stem in TOO_WIDE] == []


def test_every_module_is_short_enough_to_hold_in_the_head() -> None:
    long = {
        name: lines
        for name in tracked()
        if name.endswith(".py") and "migrations" not in name and (ROOT / name).exists()
        if (lines := len((ROOT / name).read_text().splitlines())) > LONGEST_MODULE
    }

    assert long == {}


def test_nothing_else_stands_at_the_top() -> None:
    assert {name.split("/")[0] for name in tracked()} <= TOP_LEVEL


def test_every_page_names_who_may_open_it(app: Flask) -> None:
    unnamed = [
        endpoint
        for endpoint, view in app.view_functions.items()
        if not hasattr(view, "allowed_roles")
    ]
    open_doors = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if getattr(view, "allowed_roles", ()) is None
    }

    assert unnamed == []
    assert open_doors == OPEN_TO_ALL


def test_every_template_compiles(app: Flask) -> None:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        app.jinja_env.get_template(str(path.relative_to(ROOT / "templates")))


OFFERS_A_FILE = re.compile(r"{{ (take|ask_button)\(")
# Tables that are no list of many: parts of a page, one person's own (in their own data), a form
# of what is to be decided, a search, or what holds by law and licence.
NO_LISTS = frozenset(
    {
        "macros/plots.html", "macros/charts.html", "panels/_load.html", "reports/_behind.html",
        "exports/_files.html", "intake/_report.html", "chart/_readings.html",
        "chart/_questionnaires.html", "patients/texts.html", "concerns/limits.html",
        "callers/caller.html", "callers/_lines.html", "protocols/review.html",
        "protocols/_preview.html", "phoning/find.html", "calling_hours/laws.html",
        "questionnaires/permissions.html",
        "pulse/mine.html",  # of nobody but who looks at it
        "pulse/working_life.html",  # likewise
        "access_keys/keys.html",
    }
)  # fmt: skip


def test_every_list_of_a_page_can_be_taken_away() -> None:
    templates = ROOT / "templates"
    tables = {
        str(path.relative_to(templates)): path.read_text()
        for path in templates.rglob("*.html")
        if "<table" in path.read_text()
    }
    silent = {name for name, text in tables.items() if not OFFERS_A_FILE.search(text)}

    assert silent == NO_LISTS


def test_no_template_has_inline_script_or_style() -> None:
    pattern = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|hx-on|<script(?![^>]*\ssrc=)|javascript:")
    guilty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if pattern.search(path.read_text())
    ]

    assert guilty == []


def test_no_template_switches_escaping_off() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape", path.read_text())
    ]

    assert guilty == []


def test_migrations_import_nothing_of_ours() -> None:
    guilty = [
        str(path)
        for path in (PACKAGE / "migrations" / "versions").glob("*.py")
        for name in imported(path)
        if name.startswith(("outreach", "config"))
    ]

    assert guilty == []


def test_vendored_files_are_what_the_manifest_says() -> None:
    folder = PACKAGE / "static" / "vendor"
    manifest = json.loads((folder / "manifest.json").read_text())["files"]

    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }

    assert found == manifest


@pytest.mark.parametrize("name", [name for name in tracked() if name.endswith(".txt")])
def test_no_list_names_a_registry(name: str) -> None:
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / name).read_text())


def test_importing_a_rule_imports_no_flask_and_no_table() -> None:
    code = (
        "import sys; import outreach.planning.rules, outreach.calls.rules; "
        "sys.exit(any(m in sys.modules for m in ('flask', 'sqlalchemy', 'twilio')))"
    )

    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
