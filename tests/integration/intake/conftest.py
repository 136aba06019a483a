"""What tests of bringing files in share: a clinic, a folder of files, a look at the tables."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.intake import importing
from outreach.intake.files import Source
from outreach.intake.rules import Report
from outreach.orm import Model, Sessions
from tests.builders import make_clinic
from tests.unit.intake.builders import NOW


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    with sessions.begin() as session:
        return make_clinic(session)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


def put(folder: Path, *contents: str | bytes) -> list[Source]:
    """Write each content to a file whose name says nothing."""
    sources = []
    for content in contents:
        path = folder / f"file-{len(list(folder.iterdir()))}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        sources.append(Source(path, path.name))
    return sources


def bring_in(
    sessions: Sessions, clinic: Clinic, sources: Sequence[Source], now: datetime = NOW
) -> Report:
    target = importing.Target.of(clinic)
    with importing.read(sources, target, now=now) as checked, sessions.begin() as session:
        importing.carry_out(session, checked, target, by_staff_id=None, now=now)
        return checked.report


def rows(sessions: Sessions, *tables: type[Model]) -> list[list[dict[str, Any]]]:
    """Return every row of ``tables``, as data."""
    with sessions() as session:
        return [
            [dict(row._mapping) for row in session.execute(select(*table.__table__.columns))]
            for table in tables
        ]
