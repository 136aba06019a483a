"""Lines between a host and its database that can be cut: a TCP proxy, or a network of its own.

A cut line is a black hole (nothing comes back, not even a refusal) or refuses at once.
"""

import enum
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from sqlalchemy import text

from outreach import orm
from tests.postgres import Server


class Cut(enum.Enum):
    """How a line is cut."""

    BLACK_HOLE = "black hole"
    REFUSED = "refused"


class Line(Protocol):
    """The way from one host to the database. ``inside`` is put before the host's commands."""

    inside: Sequence[str]
    url: str

    def cut(self, how: Cut) -> None: ...

    def mend(self) -> None: ...

    def close(self) -> None: ...


class Proxy:
    """A line through a process in between, as a load balancer is one."""

    inside: Sequence[str] = ()

    def __init__(self, server: Server, database: str, _number: int = 0) -> None:
        self._server = server
        self._cut: Cut | None = None
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()
        self._is_open = threading.Event()
        self._is_open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = server.tcp_url(database, "127.0.0.1", self.port)
        self._listen()

    def cut(self, how: Cut) -> None:
        self._cut = how
        self._is_open.clear()
        if how is Cut.REFUSED:
            _shut(self._listener)
            self._drop()

    def mend(self) -> None:
        was, self._cut = self._cut, None
        self._drop()  # nobody finds an old connection alive after a cut
        if was is Cut.REFUSED:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listen()
        self._is_open.set()

    def close(self) -> None:
        self._cut = Cut.REFUSED
        _shut(self._listener)
        self._is_open.set()
        self._drop()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _address = listener.accept()
                with self._guard:
                    self._sockets.append(near)
                threading.Thread(target=self._connect, args=[near], daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._is_open.wait()
        far = socket.socket(socket.AF_UNIX)
        with self._guard:
            self._sockets.append(far)
        with suppress(OSError):
            far.connect(str(self._server.socket))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()
            return
        _shut(near)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self._is_open.wait()
                other.sendall(data)
        if self._cut is not Cut.BLACK_HOLE:  # else nobody hears of the end either
            _shut(one)
            _shut(other)

    def _drop(self) -> None:
        with self._guard:
            for each in self._sockets:
                _shut(each)
            self._sockets.clear()


class Namespace:
    """A host with a network of its own and one cable, which can be unplugged."""

    def __init__(self, server: Server, database: str, _number: int) -> None:
        self._server, self._database = server, database
        name = f"or{secrets.token_hex(3)}"
        self._name, self._near, self._far = name, f"{name}n", f"{name}f"
        # Of many, so that two runs on one machine don't meet.
        subnet = f"10.{224 + secrets.randbelow(16)}.{secrets.randbelow(256)}"
        self._here, self._there = f"{subnet}.1", f"{subnet}.2"
        self.inside: Sequence[str] = ("ip", "netns", "exec", name)
        self.url = server.tcp_url(database, self._here, server.port)
        _ip("netns", "add", name)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
        _ip("link", "set", self._far, "netns", name)
        _ip("addr", "add", f"{self._here}/24", "dev", self._near)
        _ip("link", "set", self._near, "up")
        self._inside("addr", "add", f"{self._there}/24", "dev", self._far)
        self._inside("link", "set", self._far, "up")
        self._inside("link", "set", "lo", "up")

    def cut(self, how: Cut) -> None:
        if how is Cut.BLACK_HOLE:
            _ip("link", "set", self._near, "down")
            return
        self._inside("route", "add", "unreachable", self._here)
        engine = orm.make_engine(self._server.url(self._database))
        with engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE client_addr = CAST(:there AS inet)"
                ),
                {"there": self._there},
            )
        engine.dispose()

    def mend(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self._inside("route", "del", "unreachable", self._here)
        _ip("link", "set", self._near, "up")

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", self._near)
        _ip("netns", "del", self._name)

    def _inside(self, *arguments: str) -> None:
        _ip("-n", self._name, *arguments)


NETWORK = "10.224.0.0/12"  # of the hosts that are namespaces


def kinds() -> list[type[Proxy] | type[Namespace]]:
    """Return what this machine can do: networks of one's own are for root."""
    if os.geteuid() != 0:
        return [Proxy]
    name = f"or{secrets.token_hex(3)}"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", f"{name}n", "type", "veth", "peer", "name", f"{name}f")
        _ip("link", "del", f"{name}n")
        _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return [Proxy]
    return [Proxy, Namespace]


def _ip(*arguments: str) -> None:
    subprocess.run(
        ["ip", *arguments],  # noqa: S607
        check=True,
        capture_output=True,
    )


def _shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
