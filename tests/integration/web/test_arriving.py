"""Clients that send a byte a second keep nobody else waiting; honest slow ones are answered."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT
from outreach.web.arriving import (
    FILES_A_THREAD,
    LARGEST_HEAD,
    TURN_SECONDS,
    is_whole,
    most_connections,
)
from outreach.web.bounded import LARGEST_FORM

THREADS, SLOW = 2, 40
LOADED = 10_000  # objects, at the least
PATIENCE = 30  # seconds, until a test gives up


def _post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


WHOLE = _post(b"hello")


@contextmanager
def _served(
    worker: str, app: str = "echo", *, files: int = 1024, workers: int = 1, threads: int = THREADS
) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    place = "tests.integration.web.slow_server"
    server = subprocess.Popen(
        ["/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh",
         sys.executable, "-m", "gunicorn", f"{place}:{app}", "--bind", f"127.0.0.1:{port}",
         "--worker-class", worker, "--workers", str(workers), "--threads", str(threads),
         "--no-control-socket", "--log-level", "error"],
        cwd=ROOT,
    )  # fmt: skip
    try:
        _until_up(port)
        yield port
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _until_up(port: int) -> None:
    ends_at = time.monotonic() + PATIENCE
    while True:
        try:
            with _connected(port):
                return
        except ConnectionRefusedError:
            assert time.monotonic() < ends_at, "it never came up"
            time.sleep(0.05)


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with _served("outreach.web.arriving.Worker") as port:
        yield port


def _answer(client: socket.socket) -> bytes:
    found = b""
    while not found.partition(b"\r\n\r\n")[2]:
        piece = client.recv(65536)
        assert piece, "the connection was closed"
        found += piece
    return found.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "begun", [b"", b"POST / HTTP/1.1\r\nX", WHOLE[:-1]], ids=["nothing", "head", "body"]
)
def test_many_slow_clients_keep_nobody_waiting(port: int, begun: bytes) -> None:
    with ExitStack() as open_ones:
        for _each in range(SLOW):
            slow = open_ones.enter_context(_connected(port))
            slow.sendall(begun)
        client = open_ones.enter_context(_connected(port))
        client.sendall(WHOLE)

        assert _answer(client) == b"5"


def test_whoever_has_their_answer_and_stays_keeps_nobody_waiting(port: int) -> None:
    """The loop of gunicorn would wait two seconds for each to hang up."""
    last = WHOLE.replace(b"Host: a", b"Host: a\r\nConnection: close")
    with ExitStack() as open_ones:
        for _each in range(SLOW):
            slow = open_ones.enter_context(_connected(port))
            slow.sendall(last)
        client = open_ones.enter_context(_connected(port))
        client.sendall(WHOLE)

        assert _answer(client) == b"5"


def test_what_is_loaded_is_not_looked_through_for_garbage_between_pages() -> None:
    with _served("outreach.web.arriving.Worker", "unlooked") as port, _connected(port) as client:
        client.sendall(WHOLE)

        assert int(_answer(client)) > LOADED


def test_threads_take_short_turns() -> None:
    with _served("outreach.web.arriving.Worker", "turn") as port, _connected(port) as client:
        client.sendall(WHOLE)

        assert float(_answer(client)) == pytest.approx(TURN_SECONDS)


@pytest.mark.parametrize("size", [1, 7, 30])
def test_what_comes_in_pieces_is_answered_once(port: int, size: int) -> None:
    with _connected(port) as client:
        for at in range(0, len(WHOLE), size):
            client.sendall(WHOLE[at : at + size])
            time.sleep(0.001)

        assert _answer(client) == b"5"
        assert client.recv(100) == b""


@pytest.mark.parametrize("size", [LARGEST_FORM - 1, LARGEST_FORM + 1, 3 * LARGEST_FORM])
def test_large_bodies_arrive_whole(port: int, size: int) -> None:
    with _connected(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        client.sendall(b"x" * size)

        assert _answer(client) == str(size).encode()


def test_chunks_arrive_whole(port: int) -> None:
    with _connected(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"3\r\nabc\r\n")
        client.sendall(b"0\r\n\r\n")

        assert _answer(client) == b"3"


def test_what_takes_too_long_is_dropped() -> None:
    with _served("tests.integration.web.slow_server.Impatient") as port, _connected(port) as slow:
        slow.sendall(WHOLE[:-1])

        assert slow.recv(100) == b""


def test_whoever_comes_waits_for_no_process_while_another_is_free(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with (
        _served("outreach.web.arriving.Worker", "until_told", workers=2, threads=1) as port,
        _connected(port) as slow,
    ):
        slow.sendall(_post(str(told).encode()))
        for _each in range(SLOW):
            with _connected(port) as client:
                client.sendall(_post(b""))
                assert _answer(client) == b"done"

        told.touch()
        assert _answer(slow) == b"done"


def test_whoever_comes_while_nobody_is_free_is_answered_in_turn(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with (
        _served("outreach.web.arriving.Worker", "until_told", threads=1) as port,
        ExitStack() as open_ones,
    ):
        clients = [open_ones.enter_context(_connected(port)) for _each in range(SLOW)]
        for client in clients:
            client.sendall(_post(str(told).encode()))

        told.touch()
        assert [_answer(client) for client in clients] == [b"done"] * SLOW


def test_without_a_file_left_nobody_waits_and_the_process_lives_on() -> None:
    worker = "outreach.web.arriving.Worker"
    with _served(worker, "pid", files=40) as port, ExitStack() as open_ones:
        with _connected(port) as client:
            client.sendall(WHOLE)
            before = _answer(client)
        for _each in range(60):
            slow = open_ones.enter_context(_connected(port))
            slow.sendall(WHOLE[:20])
        client = open_ones.enter_context(_connected(port))
        client.sendall(WHOLE)

        assert _answer(client) == before


def test_a_process_that_was_killed_is_replaced() -> None:
    with _served("outreach.web.arriving.Worker", "pid") as port:
        with _connected(port) as client:
            client.sendall(WHOLE)
            before = _answer(client)
        os.kill(int(before), signal.SIGKILL)  # as the kernel does where memory is short
        with _connected(port) as client:
            client.sendall(WHOLE)

            assert _answer(client) != before


@given(st.integers(1, 64), st.integers(16, 100_000))
def test_connections_leave_files_to_those_who_work(threads: int, files: int) -> None:
    most = most_connections(threads, files)

    assert most > threads  # else nobody else could be waited for
    assert most == threads + 1 or files - most > threads * FILES_A_THREAD


@given(st.integers(0, len(WHOLE)))
def test_a_request_is_whole_with_its_last_byte(size: int) -> None:
    assert is_whole(WHOLE[:size]) == (size == len(WHOLE))


def test_what_is_judged_without_the_rest_is_not_waited_for() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\n"
    assert is_whole(b"x" * LARGEST_HEAD)
    assert is_whole(head + b"Content-Length: %d\r\n\r\n" % (LARGEST_FORM + 1))
    assert is_whole(head + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert is_whole(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert not is_whole(head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
