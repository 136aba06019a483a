"""The web server alone, as the settings say: ``python -m scripts.web``.

For a machine on which something else keeps each process up: a unit of systemd's, a container.
``scripts/run`` serves by the same words.
"""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from config import BadSetting, Config

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a heartbeat there waits for no disk

_PATIENCE = 1.0  # seconds


def words(config: Config) -> list[str]:
    """Return what gunicorn is told on its command line."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    return [
        "outreach.app:create_app()",
        "--bind", f"{host}:{config.port}",
        "--worker-class", "outreach.web.arriving.Worker",
        "--workers", str(config.web_workers), "--threads", str(config.web_threads),
        "--preload", "--no-control-socket", "--log-level", "warning", "--graceful-timeout", "10",
        *(["--worker-tmp-dir", str(_SHARED_MEMORY)] if _SHARED_MEMORY.is_dir() else []),
    ]  # fmt: skip


def is_taken(host: str, port: int) -> bool:
    """Say whether somebody else has the port already."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def is_reached(host: str, port: int) -> bool:
    """Say whether the web server takes connections by now."""
    with socket.socket(_family(host)) as probe:
        probe.settimeout(_PATIENCE)
        return probe.connect_ex((host, port)) == 0


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def main() -> NoReturn:
    """Become the web server; end where a setting can't be used."""
    try:
        config = Config.from_environment()
    except BadSetting as error:
        sys.exit(str(error))
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *words(config)])  # noqa: S606


if __name__ == "__main__":
    main()
