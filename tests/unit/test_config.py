"""Settings: what the environment may say."""

from pathlib import Path

import pytest

from config import BadSetting, Config


def read(folder: Path, **environ: str) -> Config:
    return Config.from_environment({"INSTANCE_PATH": str(folder), **environ})


def test_the_web_server_has_its_place_and_size(tmp_path: Path) -> None:
    told = read(tmp_path, HOST="::", PORT="8080", WEB_WORKERS="3", WEB_THREADS="4")
    silent = read(tmp_path)

    assert (told.host, told.port, told.web_workers, told.web_threads) == ("::", 8080, 3, 4)
    assert (silent.host, silent.port) == ("127.0.0.1", 8000)
    assert (silent.web_workers, silent.web_threads) == (2, 8)


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
