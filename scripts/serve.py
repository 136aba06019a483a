"""Serve one installation: migrate, load the demo clinics if empty, start web and scheduler.

This is the part that needs nothing of the product: settings and the port are looked at before
it is loaded, which takes most of the start. :mod:`scripts.serving` goes on.
"""

import gc
import os
import shutil
import sys
from pathlib import Path

from config import BadSetting, Config
from scripts import web


def main() -> int:
    """Serve until told to stop; return an exit status."""
    try:
        config = Config.from_environment()
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 2
    if web.is_taken(config.host, config.port):
        print(f"Port {config.port} is in use. Choose another, as PORT=8001.", file=sys.stderr)
        return 2
    # Where the web processes count their requests: read as the product is loaded.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_request_times(config))
    # What is loaded stays. To look through it for garbage again and again while it grows would
    # take a fifth of the start.
    gc.disable()
    from scripts import serving  # noqa: PLC0415 - the product

    return serving.serve(config)


def _request_times(config: Config) -> Path:
    """Return an empty folder."""
    folder = config.instance_path / "request_times"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


if __name__ == "__main__":
    sys.exit(main())
