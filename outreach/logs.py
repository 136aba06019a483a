"""What the processes say, line by line: JSON for a machine that collects it, or plain words.

Nothing about a person is logged: no name, number, address or word. A row is named by its id.
What an exception says may hold such (PostgreSQL repeats the value that a key refused), so of
exceptions the lines tell the kinds and the places in the code, never the words.
"""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

# Of the request that is being answered, None outside of one.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_TOO_CHATTY = ("apscheduler", "twilio", "urllib3")  # Twilio's client logs numbers


def begin(process: str, *, as_json: bool) -> None:
    """Let this process, called ``process``, log to its standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine(process) if as_json else PlainLine(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("outreach").setLevel(logging.INFO)
    for chatty in _TOO_CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonLine(logging.Formatter):
    """One record as one line of JSON: at, level, process, logger, message, request, error."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := request_id.get():
            told["request"] = request
        if record.exc_info and record.exc_info[1]:
            told["error"] = kinds_of(record.exc_info[1])
            told["places"] = places_of(record.exc_info[2])
        return json.dumps(told)


class PlainLine(logging.Formatter):
    """One record for people: time, process, words; below it where an exception came from."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines, without the last one's end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "seconds")
        request = request_id.get()
        parts = [at, self._process, f"[{request}]" if request else "", record.getMessage()]
        lines = [_on_one_line(" ".join(part for part in parts if part))]
        if record.exc_info and record.exc_info[1]:
            lines += [f"  {each}" for each in places_of(record.exc_info[2])]
            lines += [f"  {each}" for each in kinds_of(record.exc_info[1])]
        return "\n".join(lines)


def _on_one_line(words: str) -> str:
    """Return ``words`` with every control character escaped: a line of ours can't be forged.

    Line ends and escape codes of terminals may stand in what somebody sent us.
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in words)


def kinds_of(error: BaseException) -> list[str]:
    """Return the kinds of ``error`` and of what caused it, with the database's own code."""
    found: list[str] = []
    each: BaseException | None = error
    while each is not None:
        code = getattr(each, "sqlstate", None) or getattr(each, "sqlite_errorname", None)
        name = f"{type(each).__module__}.{type(each).__qualname__}"
        found.append(f"{name} {code}" if code else name)
        each = each.__cause__ or each.__context__
    return found


def places_of(trace: TracebackType | None) -> list[str]:
    """Return where in the code an exception passed, the innermost place last."""
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
