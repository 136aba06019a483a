"""Settings: what the environment may say."""

import base64
import os
from pathlib import Path

import pytest

from config import BadSetting, Config, make_data_key, replace_secret


def read(folder: Path, **environ: str) -> Config:
    return Config.from_environment({"INSTANCE_PATH": str(folder), **environ})


def test_the_web_server_has_its_place_and_size(tmp_path: Path) -> None:
    told = read(tmp_path, HOST="::", PORT="8080", WEB_WORKERS="3", WEB_THREADS="4")
    silent = read(tmp_path)

    assert (told.host, told.port, told.web_workers, told.web_threads) == ("::", 8080, 3, 4)
    assert (silent.host, silent.port) == ("127.0.0.1", 8000)
    assert (silent.web_workers, silent.web_threads) == (2, 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", ""),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "²"),
        ("WEB_WORKERS", "0"),
        ("WEB_THREADS", "-1"),
        ("TRUSTED_PROXIES", "one"),
    ],
)
def test_a_number_that_makes_no_sense_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        read(tmp_path, **{name: value})


KEY = base64.b64encode(b"1" * 32).decode()


def test_the_data_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "data_keys"
    assert read(tmp_path).data_keys == ()
    assert not file.exists()

    make_data_key(file)
    first = read(tmp_path)
    make_data_key(file)

    assert read(tmp_path).data_keys == first.data_keys
    assert len(first.data_keys[0][1]) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert repr(first.data_keys[0][1]) not in repr(first)


def test_a_key_that_only_reads_does_not_encrypt(tmp_path: Path) -> None:
    other = base64.b64encode(b"2" * 32).decode()
    told = read(tmp_path, DATA_KEYS=f"k1:{KEY},k2:{other}:read-only")
    assert [key_id for key_id, _secret in told.data_keys] == ["k1", "k2"]
    assert told.encrypting_key == "k1"


def test_a_file_of_secrets_is_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    file = tmp_path / "data_keys"
    make_data_key(file)
    replace_secret(file, "another\n")

    assert [Path(each).name.startswith(".data_keys.") for each in synced] == [True, False] * 2
    assert synced[1] == synced[3] == str(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["data_keys"]


def test_a_file_of_secrets_keeps_owner_and_mode_where_root_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda _path, uid, gid: owned.append((uid, gid)))
    file = tmp_path / "data_keys"
    make_data_key(file)
    file.chmod(0o640)
    replace_secret(file, "another\n")

    found = file.stat()
    assert found.st_mode & 0o777 == 0o640
    assert owned == [(found.st_uid, found.st_gid)] * 2


def test_data_keys_are_told_oldest_first_by_variable_or_file(tmp_path: Path) -> None:
    other = base64.b64encode(b"2" * 32).decode()
    file = tmp_path / "keys"
    file.write_text(f"k1:{KEY}\nk2:{other}\n")

    told = read(tmp_path, DATA_KEYS=f"k1:{KEY},k2:{other}")
    kept = read(tmp_path, DATA_KEY_FILE=str(file))

    assert told.data_keys == kept.data_keys == (("k1", b"1" * 32), ("k2", b"2" * 32))


@pytest.mark.parametrize(
    "value",
    [
        "k1",
        "k1:",
        "k1:AAAA",
        f"k1:{KEY}:read-only",
        f"k1:{KEY}:other",
        f":{KEY}",
        f"k.1:{KEY}",
        f"a:{KEY},a:{KEY}",
        ",",
    ],
)
def test_a_data_key_that_is_none_is_named_and_not_shown(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadSetting, match="DATA_KEYS") as refused:
        read(tmp_path, DATA_KEYS=value)
    assert KEY not in str(refused.value)


def test_a_key_file_that_is_missing_is_no_new_key(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="DATA_KEY_FILE"):
        read(tmp_path, DATA_KEY_FILE=str(tmp_path / "nowhere"))


def test_second_factors_are_required_wherever_others_reach_us(tmp_path: Path) -> None:
    assert not read(tmp_path).requires_second_factor
    assert read(tmp_path, HOST="0.0.0.0").requires_second_factor  # noqa: S104
    assert read(tmp_path, PUBLIC_URL="https://outreach.example").requires_second_factor
    assert not read(tmp_path, HOST="::", REQUIRE_SECOND_FACTOR="no").requires_second_factor
    with pytest.raises(BadSetting, match="REQUIRE_SECOND_FACTOR"):
        read(tmp_path, REQUIRE_SECOND_FACTOR="true")


@pytest.mark.parametrize(
    "told",
    [
        {"ALLOWED_HOSTS": "outreach.example"},
        {"ALLOWED_HOSTS": "localhost,outreach.example"},
        {"PUBLIC_URL": "http://outreach.example"},
        {"PUBLIC_URL": "https://outreach.example", "TRUSTED_PROXIES": "1"},
        {"HOST": "10.0.0.12"},
    ],
)
def test_whoever_is_reached_by_another_name_or_proxy_is_not_on_ones_own_machine(
    tmp_path: Path, told: dict[str, str]
) -> None:
    """Behind a proxy of the same machine HOST says nothing of who else comes in."""
    config = read(tmp_path, **told)

    assert not config.is_loopback
    assert config.requires_second_factor
    assert config.administrators_need_reason
    assert config.logs_are_json


@pytest.mark.parametrize("names", ["", "localhost", "LOCALHOST, 127.0.0.1, [::1]"])
def test_ones_own_machine_is_one_by_whichever_of_its_names(tmp_path: Path, names: str) -> None:
    assert read(tmp_path, ALLOWED_HOSTS=names).is_loopback
    assert read(tmp_path, ALLOWED_HOSTS=names, HOST="localhost", TRUSTED_PROXIES="0").is_loopback


@pytest.mark.parametrize("public_url", ["", "http://outreach.example"])
def test_a_proxy_needs_an_address_with_tls(tmp_path: Path, public_url: str) -> None:
    with pytest.raises(BadSetting, match=r"TRUSTED_PROXIES.* PUBLIC_URL=https://"):
        read(tmp_path, TRUSTED_PROXIES="1", ALLOWED_HOSTS="outreach.example", PUBLIC_URL=public_url)


def test_a_mail_server_needs_a_sender_and_no_password_goes_in_the_clear(tmp_path: Path) -> None:
    sender = {"SMTP_HOST": "mail.example", "SMTP_FROM": "outreach@clinic.example"}

    assert read(tmp_path).smtp is None
    found = read(tmp_path, **sender, SMTP_USER="outreach", SMTP_PASSWORD="secret").smtp
    assert found is not None
    assert (found.port, found.security) == (587, "starttls")
    assert "secret" not in repr(found)
    with pytest.raises(BadSetting, match="SMTP_FROM"):
        read(tmp_path, SMTP_HOST="mail.example")
    with pytest.raises(BadSetting, match="SMTP_SECURITY"):
        read(tmp_path, **sender, SMTP_SECURITY="none", SMTP_USER="outreach")


def test_hosts_are_written_by_commas(tmp_path: Path) -> None:
    assert read(tmp_path).allowed_hosts == ()
    written = read(tmp_path, ALLOWED_HOSTS="a.example, b.example,")
    assert written.allowed_hosts == ("a.example", "b.example")
