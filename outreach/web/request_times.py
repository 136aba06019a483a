"""How long requests take, by page: counted in every process, told as one.

With several web processes they share a folder (``PROMETHEUS_MULTIPROC_DIR``, made by
``scripts.serve``); a single process counts in memory.
"""

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_SECONDS = Histogram(
    "outreach_request_seconds",
    "Time from a request to its answer.",
    ["page", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=None if os.environ.get("PROMETHEUS_MULTIPROC_DIR") else REGISTRY,
)


def init_app(app: Flask) -> None:
    """Time every request of ``app``."""
    app.before_request(_begin)
    app.after_request(_end)


def exposition() -> bytes:
    """Return the times of every process, in the text format of Prometheus."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    began = g.pop("began", None)
    if began is not None:
        # The page's name, never its address: that may hold the id of a patient.
        page = request.endpoint or "none"
        status = f"{response.status_code // 100}xx"
        _SECONDS.labels(page, status).observe(time.perf_counter() - began)
    return response
