"""gunicorn's threads, each given a request only when all of it has arrived.

gunicorn gives a thread to a connection with its first byte, and lets it wait for the rest for
ever: as many sockets that send a byte a second as there are threads, and nobody else is
answered. Here the loop that waits for connections anyway gathers what arrives, and drops what
takes too long. Where there is no room for another connection, the one that has waited longest
without a whole request makes room. Only large files of an import go on arriving in a thread.

All processes take from one line: who asks waits in the kernel until a thread is free, wherever
that is. So a process takes no connection while all its threads are at work, and keeps none after
its answer: whoever had one would wait for that process, be others idle.
"""

import errno
import re
import resource
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

from outreach import garbage
from outreach.web.bounded import LARGEST_FORM

LARGEST_HEAD = 64 * 1024  # bytes; beyond, gunicorn refuses it
FILES_A_THREAD = 8  # its database, with log and lock, and what it reads and writes
_OWN_FILES = 64  # listeners, pipes, logs, figures
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
STALL_SECONDS = 30  # of one reading or writing, within a thread
LEAVE_SECONDS = 2  # until a client that has its answer must have hung up
_BREATH_SECONDS = 0.05
# How long a thread may keep the others of its process from going on. A Save asks the database forty
# times, and after each answer waits for its turn: beside a thread that only computes, by Python's
# own five milliseconds, forty short waits took 229 ms, and take 33 (15 alone).
TURN_SECONDS = 0.0005
_PIECE = 64 * 1024
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_ASKS_FIRST = re.compile(rb"\r\nexpect:", re.IGNORECASE)


def is_whole(arrived: bytes | bytearray) -> bool:
    """Say whether a request has arrived, or so much of it that it is judged without the rest."""
    end = arrived.find(_END, 0, LARGEST_HEAD)
    if end < 0:
        return len(arrived) >= LARGEST_HEAD
    head, rest = bytes(arrived[: end + 2]), len(arrived) - end - len(_END)
    if rest > LARGEST_FORM or _ASKS_FIRST.search(head):
        return True
    length = _LENGTH.search(head)
    if _CHUNKED.search(head):  # with a length besides, it is refused
        return length is not None or arrived.endswith(b"0\r\n\r\n")
    wanted = int(length[1]) if length else 0
    return wanted > LARGEST_FORM or rest >= wanted


def most_connections(threads: int, files: int) -> int:
    """Return how many connections leave, of ``files`` that may be open, enough to the threads."""
    return max(threads + 1, files - _OWN_FILES - threads * FILES_A_THREAD)


class Connection(TConn):
    """A connection with what has arrived of its request, and how long it is waited for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arrived = bytearray()
        self.wait_until = 0.0

    def init(self) -> None:
        """Be read by a thread, which waits for no stalled client."""
        super().init()
        self.sock.settimeout(STALL_SECONDS)


class Worker(ThreadWorker):
    """gunicorn's worker with threads, in front of which requests are gathered."""

    arrive_seconds = 20.0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.cfg.set("keepalive", 0)
        self.arriving: deque[Connection] = deque()
        self.leaving: deque[Connection] = deque()
        self.at_work = 0
        files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = most_connections(self.cfg.threads, files)
        self.worker_connections = min(int(self.cfg.worker_connections), most)

    def load_wsgi(self) -> None:
        """Load the application, or take over what was loaded before this process began."""
        super().load_wsgi()
        garbage.leave_what_is_loaded()
        sys.setswitchinterval(TURN_SECONDS)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Log what failed without its address, which may hold the token of a link."""
        if req is not None:
            req.uri = "of an address that is not logged"
        super().handle_error(req, client, addr, exc)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's
        """Leave who comes to another process while all threads here are at work."""
        super().set_accept_enabled(enabled and self.at_work < self.cfg.threads)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait for its request without a thread."""
        if not self._accepting:
            return  # the last thread that was free got work in this very round
        if self.nr_conns + 1 >= self.worker_connections:
            self._make_room()
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            if not self._make_room():
                time.sleep(_BREATH_SECONDS)  # until one of those at work is done
            return
        self.nr_conns += 1
        conn = Connection(self.cfg, client, address, listener.getsockname())
        self._wait_for(conn, self.arriving, self.arrive_seconds, self._on_piece)
        self._on_piece(conn, client)  # most have asked before they are taken

    def enqueue_req(self, conn: Connection) -> None:
        """Give a request to the next thread that is free."""
        self.at_work += 1
        super().enqueue_req(conn)
        self.set_accept_enabled(self._accepting)

    def finish_request(self, conn: Connection, done: Future[object]) -> None:
        """Say that nothing follows, and let the client hang up, which the loop waits for.

        A connection that is closed before is cut off, with what was under way to the client
        (RFC 9112, 9.6). gunicorn would let everybody wait for this one.
        """
        del done
        self.at_work -= 1
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # it has hung up
            self.nr_conns -= 1
            conn.close()
        else:
            self._wait_for(conn, self.leaving, LEAVE_SECONDS, self._on_leaving)

    def murder_pending(self) -> None:
        """Drop what has taken too long to arrive, or to hang up."""
        now = time.monotonic()
        for waiting in (self.arriving, self.leaving):
            while waiting and waiting[0].wait_until <= now:
                self._end(waiting.popleft())

    def _make_room(self) -> bool:
        """Drop the connection that has waited longest without a whole request, if one has.

        First those that have their answer.
        """
        waiting = self.leaving or self.arriving
        if waiting:
            self._end(waiting.popleft())
        return bool(waiting)

    def _wait_for(
        self,
        conn: Connection,
        among: deque[Connection],
        seconds: float,
        then: Callable[[Connection, socket.socket], None],
    ) -> None:
        conn.sock.setblocking(False)
        conn.wait_until = time.monotonic() + seconds
        among.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(then, conn))

    def _on_piece(self, conn: Connection, client: socket.socket) -> None:
        piece = _read(client)
        if piece is None:
            return
        conn.arrived += piece
        if not piece:
            self.arriving.remove(conn)
            self._end(conn)
        elif is_whole(conn.arrived):
            self.poller.unregister(client)
            self.arriving.remove(conn)
            conn.parser = http.get_parser(self.cfg, client, conn.client)
            conn.parser.unreader.unread(bytes(conn.arrived))
            conn.arrived.clear()
            conn.data_ready = True
            self.enqueue_req(conn)

    def _on_leaving(self, conn: Connection, client: socket.socket) -> None:
        if _read(client) == b"":
            self.leaving.remove(conn)
            self._end(conn)

    def _end(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _read(client: socket.socket) -> bytes | None:
    """Return what has come; nothing where the other end is gone, None where it is still awaited.

    None too of a connection that made room in this very round.
    """
    if client.fileno() < 0:
        return None
    try:
        return client.recv(_PIECE)
    except BlockingIOError:
        return None
    except OSError:
        return b""
