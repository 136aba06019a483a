"""What took how long, from a page down to its statements, for a collector of OpenTelemetry's.

Off, with its libraries not even loaded, until the setting names a collector. The spans are our
own, not those of the ready-made instrumentations (decision 0016): these tell addresses, which
hold the words that somebody searched for, and what exceptions say. Ours tell pages, jobs and
tables by their names, and numbers.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event

from outreach import orm

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

Attributes = Mapping[str, str | int]

EXPORT_SECONDS = 3.0  # a collector that hangs holds no process up for longer when it ends
_TABLE = re.compile(r'\b(?:FROM|JOIN|INTO|UPDATE)\s+"?(\w+)', re.IGNORECASE)
_KEPT_AS = "outreach.span"  # in ``Connection.info``

_provider: "TracerProvider | None" = None


def begin(process: str, collector: str | None) -> None:
    """Send what ``process`` does to ``collector``, an OTLP/HTTP address; None: stay off.

    Headers, sampling and limits are as the standard's own ``OTEL_…`` variables say.
    """
    global _provider  # noqa: PLW0603 - one for the process, as logging has
    if collector is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = {"service.namespace": "outreach", "service.name": f"outreach-{process}"}
    provider = TracerProvider(resource=Resource.create(named))
    exporter = OTLPSpanExporter(collector, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _provider = provider
    for name, listener in _LISTENERS.items():
        event.listen(Engine, name, listener)


def end() -> None:
    """Send what waits, and stay off from now on."""
    global _provider  # noqa: PLW0603
    if _provider is None:
        return
    for name, listener in _LISTENERS.items():
        event.remove(Engine, name, listener)
    _provider.shutdown()
    _provider = None


def is_on() -> bool:
    """Say whether this process tells a collector anything."""
    return _provider is not None


@contextmanager
def span(name: str, kind: str = "internal", *, traceparent: str | None = None) -> Iterator[None]:
    """Tell how long the block took, within what surrounds it or within ``traceparent``.

    ``kind``: "server" for a request, "client" for a question to others, "internal". What an
    exception says is not told, only its kind.
    """
    if _provider is None:
        yield
        return
    with _started(name, kind, traceparent) as made:
        try:
            yield
        except Exception as error:
            _fail(made, type(error).__name__)
            raise


def describe(attributes: Attributes, *, name: str | None = None, error: str | None = None) -> None:
    """Add to the span of the block that this is called in; ``error``: how it failed."""
    if _provider is None:
        return
    from opentelemetry import trace  # noqa: PLC0415

    current = trace.get_current_span()
    current.set_attributes(attributes)
    if name:
        current.update_name(name)
    if error:
        _fail(current, error)


@lru_cache(512)
def summary_of(statement: str) -> str:
    """Return what a statement does to which of our tables, as "SELECT patient clinic"."""
    verb = statement.split(maxsplit=1)[0].upper()
    known = orm.Model.metadata.tables
    tables = dict.fromkeys(name for name in _TABLE.findall(statement) if name in known)
    return " ".join([verb, *tables])


@contextmanager
def _started(name: str, kind: str, traceparent: str | None) -> "Iterator[Span]":
    from opentelemetry.trace import SpanKind  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    assert _provider is not None  # noqa: S101 - callers have looked
    carried = {"traceparent": traceparent} if traceparent else {}
    parent = TraceContextTextMapPropagator().extract(carried) if carried else None
    with _provider.get_tracer("outreach").start_as_current_span(
        name,
        parent,
        SpanKind[kind.upper()],
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        yield made


def _fail(failed: "Span", kind: str) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    failed.set_status(Status(StatusCode.ERROR))
    failed.set_attribute("error.type", kind)


def _begin_statement(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
    """Begin the span of a statement, where one of a page or a job surrounds it."""
    from opentelemetry import trace  # noqa: PLC0415

    if _provider is None or not trace.get_current_span().is_recording():
        return
    summary = summary_of(statement)
    connection.info[_KEPT_AS] = _provider.get_tracer("outreach").start_span(
        summary,
        kind=trace.SpanKind.CLIENT,
        attributes={"db.system.name": connection.dialect.name, "db.query.summary": summary},
    )


def _end_statement(connection: Connection, *_rest: Any) -> None:
    if begun := connection.info.pop(_KEPT_AS, None):
        begun.end()


def _fail_statement(context: Any) -> None:
    connection = context.connection
    if connection is not None and (begun := connection.info.pop(_KEPT_AS, None)):
        _fail(begun, type(context.original_exception).__name__)
        begun.end()


_LISTENERS: Mapping[str, Any] = {
    "before_cursor_execute": _begin_statement,
    "after_cursor_execute": _end_statement,
    "handle_error": _fail_statement,
}
