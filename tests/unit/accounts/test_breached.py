"""A sorted file of hashes is searched by halves and found whole."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import BadSetting, Config
from outreach.accounts import passwords
from outreach.accounts.breached import BadList, is_listed
from outreach.accounts.passwords import PasswordTooCommon


def write(path: Path, listed: list[str], ending: str = "\r\n") -> Path:
    hashes = sorted(
        hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest().upper() for each in listed
    )
    lines = (f"{each}:{10 ** (at % 9)}" for at, each in enumerate(hashes))
    path.write_bytes(ending.join([*lines, ""]).encode())
    return path


@given(st.sets(st.text(max_size=12), max_size=60), st.text(max_size=12), st.sampled_from("ab"))
def test_what_is_listed_is_found_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, listed: set[str], other: str, kind: str
) -> None:
    path = tmp_path_factory.mktemp("list") / "hashes.txt"
    write(path, sorted(listed), "\n" if kind == "a" else "\r\n")

    assert all(is_listed(path, each) for each in listed)
    assert is_listed(path, other) == (other in listed)


def test_a_listed_password_is_refused_with_its_reason(tmp_path: Path) -> None:
    listed = write(tmp_path / "hashes.txt", ["trombone ladder quilt", "another"])

    with pytest.raises(PasswordTooCommon, match="stolen passwords"):
        passwords.check("trombone ladder quilt", breached_list=listed)
    passwords.check("trombone ladder kettle", breached_list=listed)


def test_a_file_of_something_else_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("password\nletmein\n")

    with pytest.raises(BadList):
        is_listed(path, "trombone ladder quilt")


def test_a_setting_that_names_no_file_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.txt")

    with pytest.raises(BadSetting, match="BREACHED_PASSWORDS"):
        Config.from_environment({"BREACHED_PASSWORDS": missing})
