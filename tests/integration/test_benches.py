"""Every benchmark runs to its end, so that its figures can be had at any commit."""

import json
import subprocess
import sys

import pytest

from config import ROOT


@pytest.mark.parametrize(
    "name", ["assign", "import", "patient-list", "plan", "queue-page", "reports", "restore"]
)
def test_a_benchmark_prints_ours_and_the_limit(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/bench.py", name, "--patients", "60", "--calls", "600"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["name"] == name
    assert told["ours"] > 0
    assert told["limit"] > 0
