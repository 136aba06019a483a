"""What every request takes beside its own work."""

import threading

import pytest
from flask import Flask


def test_a_request_starts_no_thread(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)

    assert app.test_client().get("/sign-in").status_code == 200

    assert started == []
