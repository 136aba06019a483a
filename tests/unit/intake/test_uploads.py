"""Files that wait for somebody's yes don't wait for ever."""

import io
from datetime import timedelta
from pathlib import Path

import pytest

from outreach import sealed_files
from outreach.encryption import Cipher, DataKey
from outreach.intake import uploads
from outreach.intake.jobs import sweep_uploads
from outreach.intake.rules import FileKind, Report
from outreach.intake.uploads import NoSuchUpload
from tests.fakes import FakeClock


def test_what_waited_an_hour_is_swept_and_what_came_later_stays(tmp_path: Path) -> None:
    clock, root = FakeClock(), tmp_path / "uploads"
    assert sweep_uploads(root, clock) == 0  # nobody uploaded anything yet
    uploads.keep(root, 1, [("old.csv", io.BytesIO(b"x"))], now=clock())
    clock.advance(timedelta(minutes=31))
    token, _sources = uploads.keep(root, 1, [("new.csv", io.BytesIO(b"x"))], now=clock())
    clock.advance(timedelta(minutes=30))

    assert sweep_uploads(root, clock) == 1
    assert [folder.name for folder in root.iterdir()] == [f"1-{token}"]
    assert sweep_uploads(root, clock) == 0


def test_somebody_has_so_many_waiting_and_the_next_takes_the_place_of_the_oldest(
    tmp_path: Path,
) -> None:
    clock, root = FakeClock(), tmp_path / "uploads"
    others, _sources = uploads.keep(root, 11, [("a.csv", io.BytesIO(b"x"))], now=clock())
    tokens = []
    for _each in range(uploads.MOST_WAITING + 2):
        clock.advance(timedelta(seconds=1))
        token, _sources = uploads.keep(root, 1, [("a.csv", io.BytesIO(b"x"))], now=clock())
        tokens.append(token)

    left = {folder.name for folder in root.iterdir()}
    assert left == {f"11-{others}", *(f"1-{token}" for token in tokens[2:])}


def test_an_upload_whose_key_was_retired_is_no_longer_here(tmp_path: Path) -> None:
    clock = FakeClock()
    token, sources = uploads.keep(tmp_path, 1, [("a.csv", io.BytesIO(b"x"))], now=clock())
    uploads.describe(sources, "HERE", FileKind.CSV, Report(), now=clock())
    assert uploads.find(tmp_path, 1, token, now=clock()).names == ("a.csv",)
    retired = Cipher([DataKey("retired", b"r" * 32)])
    with (tmp_path / f"1-{token}" / "about.json").open("wb") as about:
        sealed_files.seal(io.BytesIO(b"{}"), about, retired, place="upload")

    with pytest.raises(NoSuchUpload):
        uploads.find(tmp_path, 1, token, now=clock())
