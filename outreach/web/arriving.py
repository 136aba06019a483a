"""gunicorn's threads, each given a request only when all of it has arrived.

gunicorn gives a thread to a connection with its first byte, and lets it wait for the rest for
ever: as many sockets that send a byte a second as there are threads, and nobody else is
answered. Here the loop that waits for connections anyway gathers what arrives, and drops what
takes too long. Where there is no room for another connection, the one that has waited longest
without a whole request makes room. Only large files of an import go on arriving in a thread.
"""

import errno
import re
import resource
import selectors
import socket
import time
from collections import deque
from functools import partial
from itertools import takewhile
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
_BREATH_SECONDS = 0.05
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
    """A connection with what has arrived of its next request, and by when all must have."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arrived = bytearray()
        self.arrive_by = 0.0

    def init(self) -> None:
        """Be read by a thread, which waits for no stalled client."""
        super().init()
        self.sock.settimeout(STALL_SECONDS)


class Worker(ThreadWorker):
    """gunicorn's worker with threads, in front of which requests are gathered."""

    arrive_seconds = 20.0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.arriving: deque[Connection] = deque()
        files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = most_connections(self.cfg.threads, files)
        self.worker_connections = min(int(self.cfg.worker_connections), most)

    def load_wsgi(self) -> None:
        """Load the application, or take over what was loaded before this process began."""
        super().load_wsgi()
        garbage.leave_what_is_loaded()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Log what failed without its address, which may hold the token of a link."""
        if req is not None:
            req.uri = "of an address that is not logged"
        super().handle_error(req, client, addr, exc)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait for its request without a thread."""
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
        self._await(Connection(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Wait for the next request of a connection that is kept alive, also without one."""
        if client.fileno() < 0:
            return  # it made room in this very round
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await(conn)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's
        """Close connections that were silent too long; not one that asks in this very moment.

        Its request came in after this round began, and the next one reads it.
        """
        now = time.monotonic()
        # They stand in the order of their time.
        over = takewhile(lambda conn: force or conn.timeout <= now, self.keepalived_conns)
        for conn in list(over):
            if force or not _has_arrived(conn.sock):
                self.keepalived_conns.remove(conn)
                self._end(conn)

    def murder_pending(self) -> None:
        """Drop what has taken too long to arrive."""
        super().murder_pending()
        now = time.monotonic()
        while self.arriving and self.arriving[0].arrive_by <= now:
            self._drop(self.arriving[0])

    def _make_room(self) -> bool:
        """Drop the connection that has waited longest without a whole request, if one has.

        First those that asked for nothing since their last answer.
        """
        if self.keepalived_conns:
            self._end(self.keepalived_conns.popleft())
        elif self.arriving:
            self._end(self.arriving.popleft())
        else:
            return False
        return True

    def _await(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        conn.arrived.clear()
        conn.arrive_by = time.monotonic() + self.arrive_seconds
        self.arriving.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_piece, conn))

    def _on_piece(self, conn: Connection, client: socket.socket) -> None:
        if client.fileno() < 0:
            return  # it made room in this very round
        try:
            piece = client.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        conn.arrived += piece
        if not piece:
            self._drop(conn)
        elif is_whole(conn.arrived):
            self._let_go(conn)
            if conn.parser is None:
                conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader.unread(bytes(conn.arrived))
            conn.arrived.clear()
            conn.data_ready = True
            self.enqueue_req(conn)

    def _let_go(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.arriving.remove(conn)

    def _drop(self, conn: Connection) -> None:
        self.arriving.remove(conn)
        self._end(conn)

    def _end(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _has_arrived(waiting: socket.socket) -> bool:
    try:
        return bool(waiting.recv(1, socket.MSG_PEEK))
    except OSError:  # nothing, or nobody
        return False
