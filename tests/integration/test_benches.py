"""Every benchmark runs to its end, so that its figures can be had at any commit."""

import json
import subprocess
import sys

import pytest

from config import ROOT
from tests.postgres import Server

# One round of one worker, and one kill: with all of them it takes minutes.
ONE_WORKER_OF_THE_OUTBOX = """
import sys
from scripts.benches import outbox

outbox.WORKERS, outbox.ROUNDS, outbox.KILLS = (1,), 1, 1
outbox.run(60, sys.argv[1]).show()
"""


@pytest.mark.parametrize(
    "name",
    [
        "assign",
        "cohort",
        "import",
        "log-call",
        "outcomes",
        "patient-list",
        "plan",
        "plan-beside-pages",
        "plan-slope",
        "queue-page",
        "reports",
        "reports-slope",
        "restore",
    ],
)
def test_a_benchmark_prints_ours_and_the_limit(name: str) -> None:
    done = _run("scripts/bench.py", name, "--patients", "60", "--calls", "600")

    _tells_ours_and_the_limit(done, name)


def test_the_benchmark_of_the_outbox_sends_each_text_once(postgres: Server) -> None:
    with postgres.database() as empty:
        done = _run("-c", ONE_WORKER_OF_THE_OUTBOX, empty)  # fails where one is lost, or sent twice

    _tells_ours_and_the_limit(done, "outbox")


@pytest.mark.parametrize("name", ["outbox-many", "outbox-pace"])
def test_the_benchmarks_of_many_texts_send_each_once(name: str, postgres: Server) -> None:
    with postgres.database() as empty:
        done = _run(
            "scripts/bench.py", name, "--texts", "60", "--workers", "2", "--database", empty
        )

    _tells_ours_and_the_limit(done, name)


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, check=False, capture_output=True, text=True
    )


def _tells_ours_and_the_limit(done: subprocess.CompletedProcess[str], name: str) -> None:
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["name"] == name
    assert told["ours"] > 0
    assert told["limit"] > 0
