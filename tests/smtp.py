"""A mail server on this machine that keeps what it is given, and fails when told to."""

import socket
import threading
from email import message_from_bytes
from email.message import Message
from types import TracebackType
from typing import Self

YES = {
    "EHLO": b"250-local\r\n250 8BITMIME\r\n",  # no STARTTLS among what it offers
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
}
BROKEN = "no answer"
HANGS_UP_AFTER = {"421", BROKEN}


class LocalSmtp:
    """Speaks as much SMTP as smtplib asks for. ``refuse``: a code for every address.

    ``says``: codes that answer a word in place of a yes, each once and in their order; ``BODY``
    stands for the end of a letter. After 421 it hangs up, as servers do.
    """

    def __init__(self) -> None:
        self.letters: list[tuple[str, Message]] = []
        self.connections = 0
        self.refuse = ""
        self.says: dict[str, list[str]] = {}
        self.hangs_up_after_data = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _address = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with line:
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        heard = line.makefile("rb")
        line.sendall(b"220 local\r\n")
        to = ""
        for said in heard:
            word = said[:4].upper().decode()
            code = self._answer(line, word)
            if word == "RCPT":
                to = said.decode().partition("<")[2].partition(">")[0]
            if word == "DATA" and not code:
                code = self._take(line, to, b"".join(iter(heard.readline, b".\r\n")))
            if code in HANGS_UP_AFTER or word == "QUIT":
                return

    def _take(self, line: socket.socket, to: str, letter: bytes) -> str:
        if not self.says.get("BODY"):
            self.letters.append((to, message_from_bytes(letter)))
        return BROKEN if self.hangs_up_after_data else self._answer(line, "BODY")

    def _answer(self, line: socket.socket, word: str) -> str:
        """Answer a word; return the code where it was no yes."""
        once = self.says.get(word)
        code = once.pop(0) if once else self.refuse if word == "RCPT" else ""
        line.sendall(f"{code} not now\r\n".encode() if code else YES.get(word, b"250 yes\r\n"))
        return code
