"""Figures as Prometheus reads them: ours, and the times of requests."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from outreach.upkeep.vitals import Vitals, Waiting
from outreach.web import request_times

# The planner leaves a beat every half minute; one may be late.
LED_WITHIN = timedelta(minutes=2)


class _OfVitals(Collector):
    def __init__(self, vitals: Vitals, now: datetime, *, is_ready: bool) -> None:
        self._vitals = vitals
        self._now = now
        self._is_ready = is_ready

    def collect(self) -> Iterator[Metric]:
        """Yield a count and an age for everything that waits."""
        vitals = self._vitals
        yield GaugeMetricFamily(
            "outreach_ready", "1 while pages can be served: see /readyz.", float(self._is_ready)
        )
        yield from self._waiting("calls_to_make", "calls whose time has come", vitals.calls_to_make)
        yield from self._waiting("calls_overdue", "calls left behind", vitals.calls_overdue)
        yield from self._waiting("texts_due", "texts whose time has come", vitals.texts_due)
        yield from self._waiting("texts_unknown", "texts of unknown fate", vitals.texts_unknown)
        counts = GaugeMetricFamily(
            "outreach_concerns_open", "Concerns nobody has taken on.", labels=["urgency"]
        )
        ages = GaugeMetricFamily(
            "outreach_concerns_oldest_seconds", "Age of the oldest of them.", labels=["urgency"]
        )
        for urgency, waiting in vitals.concerns.items():
            counts.add_metric([urgency.value], waiting.count)
            ages.add_metric([urgency.value], waiting.seconds(self._now))
        yield counts
        yield ages
        held_since = vitals.outbox_held_since
        yield GaugeMetricFamily(
            "outreach_outbox_held_seconds",
            "How long texts have waited since a restore; 0 where they do not.",
            max(0.0, (self._now - held_since).total_seconds()) if held_since else 0,
        )
        if vitals.planner_seen_at is not None:
            yield GaugeMetricFamily(
                "outreach_planner_silent_seconds",
                "How long ago a scheduler last began to plan.",
                self._far_from(vitals.planner_seen_at),
            )

            leader = GaugeMetricFamily(
                "outreach_leader",
                "1 while the scheduler on this machine leads: while it planned lately.",
                labels=["host"],
            )
            leader.add_metric([vitals.leader or "unknown"], float(self._is_led()))
            yield leader
        if vitals.plan_complete_at is not None:
            yield GaugeMetricFamily(
                "outreach_planning_lag_seconds",
                "How long ago the planner last left nobody without the call they should have.",
                self._far_from(vitals.plan_complete_at),
            )
            yield GaugeMetricFamily(
                "outreach_planning_lacking",
                "How many it left without one when it last ran; at most, where it broke off.",
                vitals.lacking,
            )
        if vitals.backed_up_at is not None:
            yield GaugeMetricFamily(
                "outreach_backup_age_seconds",
                "How old the newest whole backup is.",
                max(0.0, (self._now - vitals.backed_up_at).total_seconds()),
            )
        if vitals.is_trail_whole is not None:
            yield GaugeMetricFamily(
                "outreach_audit_whole",
                "1 while the audit trail holds the end that was kept of it outside the database.",
                float(vitals.is_trail_whole),
            )
        if vitals.jobs:
            yield from self._jobs()

    def _jobs(self) -> Iterator[Metric]:
        """Yield how it went with each job, by ``name``: Prometheus means its own by ``job``."""
        since = GaugeMetricFamily(
            "outreach_job_since_well_seconds",
            "How long ago the job last ended well, without a row that failed.",
            labels=["name"],
        )
        every = GaugeMetricFamily(
            "outreach_job_every_seconds", "After how long the job comes again.", labels=["name"]
        )
        failures = CounterMetricFamily(
            "outreach_job_failures", "Runs of the job that did not end well.", labels=["name"]
        )
        for job in self._vitals.jobs:
            since.add_metric([job.name], self._far_from(job.well_at))
            every.add_metric([job.name], job.every_seconds)
            failures.add_metric([job.name], job.failures)
        yield from (since, every, failures)

    def _is_led(self) -> bool:
        seen_at = self._vitals.planner_seen_at
        return seen_at is not None and self._far_from(seen_at) < LED_WITHIN.total_seconds()

    def _far_from(self, at: datetime) -> float:
        """Return how long ago ``at`` is, or how far ahead.

        What lies ahead was noted before a clock was set back: nobody knows what was since.
        """
        return abs((self._now - at).total_seconds())

    def _waiting(self, name: str, words: str, waiting: Waiting) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"outreach_{name}", f"How many {words}.", waiting.count)
        yield GaugeMetricFamily(
            f"outreach_{name}_oldest_seconds",
            f"How long the longest of the {words} has waited.",
            waiting.seconds(self._now),
        )


def exposition(vitals: Vitals, *, now: datetime, is_ready: bool) -> bytes:
    """Return all figures in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_OfVitals(vitals, now, is_ready=is_ready))
    return generate_latest(registry) + request_times.exposition()
