"""What gunicorn is started with in ``test_arriving.py``."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from outreach.web.arriving import Worker


class Impatient(Worker):
    """One that waits for a second."""

    arrive_seconds = 1.0


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with how much was sent."""
    sent = environ["wsgi.input"].read()
    answer = str(len(sent)).encode()
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


def unlooked(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with how many objects are never again looked through for garbage."""
    answer = str(gc.get_freeze_count()).encode()
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


def turn(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with how many seconds a thread may keep the others waiting."""
    answer = str(sys.getswitchinterval()).encode()
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


def pid(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with which process this is, opening a file for it as the product opens several."""
    with Path(os.devnull).open("rb") as file:
        file.read()
    answer = str(os.getpid()).encode()
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


def until_told(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer when there is the file that is named, or at once where none is."""
    named = environ["wsgi.input"].read().decode()
    while named and not Path(named).exists():
        time.sleep(0.01)
    start("200 OK", [("Content-Length", "4")])
    return [b"done"]
