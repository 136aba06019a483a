"""Alert rules, dashboard and runbook name figures that the product gives, and each other."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from config import ROOT, Config
from outreach.app import create_app
from outreach.commands import Commands
from outreach.concerns.rules import Urgency
from outreach.deps import Deps
from outreach.upkeep import figures
from outreach.upkeep.models import JobEnd
from outreach.upkeep.views import MONITORED
from outreach.upkeep.vitals import Vitals, Waiting
from outreach.web.by_address import is_address
from tests.fakes import FakeClock, FakeGateway

FOLDER = ROOT / "docs" / "monitoring"
NAME = re.compile(r"outreach_[a-z_]+")
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def _given() -> set[str]:
    nothing = Waiting(0, None)
    concerns = dict.fromkeys(Urgency, nothing)
    jobs = [JobEnd(name="only", every_seconds=60, well_at=NOW, failures=0)]
    vitals = Vitals(
        nothing,
        nothing,
        nothing,
        nothing,
        concerns,
        NOW,
        backed_up_at=NOW,
        jobs=jobs,
        plan_complete_at=NOW,
        is_trail_whole=True,
    )
    page = figures.exposition(vitals, now=NOW, is_ready=True).decode()
    given = set(re.findall(r"^# TYPE (outreach_[a-z_]+)", page, re.MULTILINE))
    return given | {f"outreach_request_seconds_{part}" for part in ("bucket", "count", "sum")}


def _rules() -> list[dict[str, str]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def test_alerts_and_dashboard_ask_for_figures_that_are_given() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    asked = [rule["expr"] for rule in _rules()]
    asked += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = set(NAME.findall(" ".join(asked)))

    assert names
    assert names <= _given()


def test_whatever_an_alert_asks_for_can_be_seen_in_the_dashboard() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    shown = " ".join(t["expr"] for panel in dashboard["panels"] for t in panel["targets"])
    of_alerts = set(NAME.findall(" ".join(rule["expr"] for rule in _rules())))

    assert of_alerts <= set(NAME.findall(shown))


def test_prometheus_is_told_where_the_figures_are_by_the_name_that_alerts_use() -> None:
    told = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = told["scrape_configs"]
    of_alerts = re.findall(r'job="(\w+)"', " ".join(rule["expr"] for rule in _rules()))

    assert set(of_alerts) == {job["job_name"]}
    assert job["metrics_path"] in MONITORED
    assert told["rule_files"] == ["alerts.yml"]
    for (target,) in [each["targets"] for each in job["static_configs"]]:
        assert is_address(target), "an address is answered to, whatever names are allowed"


def test_prometheus_takes_both_files(tmp_path: Path) -> None:
    for name in ("alerts.yml", "prometheus.yml"):
        text = (FOLDER / name).read_text()
        (tmp_path / name).write_text(text.replace("/etc/prometheus", str(tmp_path)))
    (tmp_path / "outreach_token").write_text("a secret")
    promtool = shutil.which("promtool")
    if promtool is None:
        return  # their words were looked at; this machine has no Prometheus to ask
    told = subprocess.run(
        [promtool, "check", "config", "prometheus.yml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr


THREE_HOURS = 180  # minutes
_OF_JOB = 'outreach_job_{}{{name="{}",instance="{}"}}'


def _job(name: str, since_well: str, failures: str) -> dict[str, str]:
    """Return what two machines tell of a job that comes every minute, minute by minute."""
    told = {
        "since_well_seconds": since_well,
        "every_seconds": f"60x{THREE_HOURS}",
        "failures_total": failures,
    }
    return {
        _OF_JOB.format(of, name, machine): values
        for of, values in told.items()
        for machine in ("elm", "ash")
    }


NEVER, WELL, GROWING = f"0x{THREE_HOURS}", f"30x{THREE_HOURS}", f"0+60x{THREE_HOURS}"
# Which alert there is, and how many of it, after how many minutes of what is told.
RAISED = {
    "a plan that is complete": ("PlanningLag", {"outreach_planning_lag_seconds": WELL}, {60: 0}),
    "one that is not": ("PlanningLag", {"outreach_planning_lag_seconds": GROWING}, {15: 0, 18: 1}),
    "a trail that is whole": ("AuditBroken", {"outreach_audit_whole": "1x60"}, {30: 0}),
    "one that was cut": ("AuditBroken", {"outreach_audit_whole": "1x9 0x60"}, {5: 0, 12: 1}),
    "a job that ends well": ("JobNotDone", _job("index", WELL, NEVER), {60: 0}),
    "one that does not end": ("JobNotDone", _job("index", GROWING, NEVER), {38: 0, 45: 1}),
    "one that sends for hours": ("JobNotDone", _job("send in turn", GROWING, NEVER), {120: 0}),
    "one that fails now and then": ("JobNotDone", _job("index", WELL, "0+1x3 3x170"), {60: 0}),
    "one that fails every other time": (
        "JobNotDone",
        _job("send in turn", GROWING, "0+0.5x180"),
        {10: 0, 30: 1},
    ),
}


@pytest.mark.parametrize(("alert", "told", "raised"), RAISED.values(), ids=RAISED)
def test_prometheus_raises_an_alert_when_it_should(
    alert: str, told: dict[str, str], raised: dict[int, int], tmp_path: Path
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        return
    asked = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    looks = [
        {
            "expr": asked,
            "eval_time": f"{minutes}m",
            "exp_samples": [{"labels": "{}", "value": count}] if count else [],
        }
        for minutes, count in raised.items()
    ]
    series = [{"series": name, "values": values} for name, values in told.items()]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": looks}
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["alerts.yml"], "tests": [test]})
    )

    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_runbook_has_every_alert_and_no_other() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    runbook = text.split("## Alerts")[1].split("\n## ")[0]

    titles = re.findall(r"^### (\w+)$", runbook, re.MULTILINE)
    steps = [part for part in runbook.split("\n### ")[1:] if "\n1. " in part or "\n| " in part]
    assert titles == [rule["alert"] for rule in _rules()]
    assert len(steps) == len(titles), "an alert without anything to do"


def test_whatever_the_runbook_tells_to_type_is_there(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    units = {path.name for path in (ROOT / "docs" / "deployment").iterdir()}
    told = set(re.findall(r"(?:restart|enable --now|status|journalctl -u) (outreach-\w+)", text))
    commands = set(re.findall(r"flask --app outreach ([a-z-]+ [a-z-]+)", text))
    clock = FakeClock()
    url = f"sqlite:///{tmp_path / 'nothing.sqlite3'}"
    config = Config(database_url=url, instance_path=tmp_path, secret_key="s" * 32)
    app = create_app(Deps(config, clock, FakeGateway(clock)))
    ours = {
        f"{name} {command}"
        for name, group in app.cli.commands.items()
        if isinstance(group, Commands)
        for command in group.commands
    }

    assert len(told) > 4
    assert [n for n in told if not any(u.startswith((f"{n}.", f"{n}@")) for u in units)] == []
    assert len(commands) > 10
    assert commands <= ours
    for script in set(re.findall(r"scripts/(\w+)\b(?![./])", text)):
        assert (ROOT / "scripts" / script).exists(), script


def _shell_of(text: str) -> list[str]:
    """Return each block of commands of a page, and each span of code but SQL."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = sorted(set(re.findall(r"`([^`\n]+)`", prose)))
    is_sql = re.compile(r"(ALTER|BEGIN|CREATE|GRANT|SELECT|VACUUM)\b")
    blocks = [block for kind, block in fences if kind == "sh"]
    return [*blocks, *(span for span in spans if not is_sql.match(span))]


def test_whatever_operators_are_told_to_type_is_read_by_a_shell() -> None:
    """A quote that never ends waits for more, in the midst of somebody's trouble."""
    told = [
        *_shell_of((ROOT / "README.md").read_text()),
        *_shell_of((ROOT / "docs" / "operations.md").read_text()),
    ]

    assert len(told) > 150
    assert [words for words in told if _is_refused(words)] == []


def _is_refused(words: str) -> bool:
    return subprocess.run(["/bin/sh", "-n"], input=words, text=True, check=False).returncode != 0
