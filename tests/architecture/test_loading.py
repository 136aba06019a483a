"""What a process loads before it does anything: big libraries wait until somebody needs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory

from config import ROOT
from outreach import versions

# What few pages or jobs need, and no start.
SELDOM_NEEDED = {
    "alembic",
    "holidays",
    "mako",
    "numpy",
    "opentelemetry",
    "ortools",
    "pygments",
    "requests",
    "scipy",
    "segno",
    "statsmodels",
    "twilio",
    "urllib3",
    "webauthn",
}
SERVE = "import outreach.app; outreach.app.create_app()"
STARTS = {
    "web": (SERVE, SELDOM_NEEDED | {"apscheduler", "typst", "xlsxwriter"}),
    "scheduler": ("import outreach.scheduler.runner", SELDOM_NEEDED | {"flask", "gunicorn"}),
    "worker": ("import outreach.scheduler.worker", SELDOM_NEEDED | {"flask", "apscheduler"}),
    "commands": ("import outreach; outreach.create_app()", SELDOM_NEEDED | {"apscheduler"}),
    "all of them": ("import scripts.serving", SELDOM_NEEDED | {"apscheduler", "typst"}),
}


@pytest.mark.parametrize("process", STARTS)
def test_a_start_loads_no_library_that_it_does_not_need(process: str, tmp_path: Path) -> None:
    loading, unneeded = STARTS[process]
    told = (
        "import json, sys; print(json.dumps(sorted({each.split('.')[0] for each in sys.modules})))"
    )
    (tmp_path / "data_keys").write_text(f"first:{'A' * 43}=\n")
    kept = {name: each for name, each in os.environ.items() if not name.startswith("OTEL_")}

    done = subprocess.run(
        [sys.executable, "-c", f"{loading}; {told}"],
        cwd=ROOT,
        env=kept | {"INSTANCE_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "sqlalchemy" in loaded
    assert loaded & unneeded == set()


def test_the_last_migration_by_its_file_is_the_one_that_alembic_finds() -> None:
    script = ScriptDirectory.from_config(AlembicConfig(toml_file=ROOT / "pyproject.toml"))

    assert script.get_heads() == [versions.last()]
