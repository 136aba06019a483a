"""The locustfile: callers, each with an account of their own, and the carrier.

Started by ``python -m scripts.load.run``. LOAD_CALLERS says how many accounts there are,
LOAD_PACE how many seconds pass between two things that a caller does, LOAD_CARRIERS how many
hand over texts, LOAD_ARRIVED into which file it is written what came before all had arrived.
"""

import itertools
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from locust import FastHttpUser, constant, events, task
from locust.env import Environment
from locust.stats import StatsEntry

from scripts.load import work
from scripts.load.work import Answer
from scripts.phone_numbers import number_of

CALLERS = int(os.environ.get("LOAD_CALLERS", "1"))
PACE = float(os.environ.get("LOAD_PACE", "10"))
PASSWORD = os.environ.get("LOAD_PASSWORD", "")
PATIENTS = int(os.environ.get("LOAD_PATIENTS", "1"))
CARRIERS = int(os.environ.get("LOAD_CARRIERS", "1"))
ARRIVED = os.environ.get("LOAD_ARRIVED")
_numbers = itertools.count()
_sids = itertools.count(int(time.time()))


@events.init.add_listener
def count_anew_when_all_have_arrived(environment: Environment, **_more: Any) -> None:
    """Keep what was counted while they arrived and signed in apart from their day."""

    def all_have_arrived(user_count: int) -> None:
        del user_count
        if ARRIVED:
            Path(ARRIVED).write_text(json.dumps(_counted(environment.stats.total)))
            environment.stats.reset_all()

    environment.events.spawning_complete.add_listener(all_have_arrived)


def _counted(all_kinds: StatsEntry) -> dict[str, int]:
    """Return the figures of one time, named as ``run`` names them."""
    return {
        "requests": all_kinds.num_requests,
        "failed": all_kinds.num_failures,
        "ms_half": int(all_kinds.get_response_time_percentile(0.5)),
        "ms_of_99_percent": int(all_kinds.get_response_time_percentile(0.99)),
    }


class _Locust:
    """A browser whose requests locust counts and times."""

    def __init__(self, user: FastHttpUser) -> None:
        self._client = user.client

    def get(self, path: str, name: str) -> Answer:
        got = self._client.get(path, name=name)
        return Answer(got.status_code, got.text)

    def post(
        self, path: str, data: Mapping[str, str], name: str, headers: Mapping[str, str]
    ) -> Answer:
        got = self._client.post(path, data=data, name=name, headers=headers)
        return Answer(got.status_code, got.text)


class Caller(FastHttpUser):
    """Works through a queue at a person's pace."""

    fixed_count = CALLERS
    wait_time = constant(1)

    def on_start(self) -> None:
        """Sign in to an account of one's own."""
        number = next(_numbers) % CALLERS
        self.rng = Random(number)
        self.browser = _Locust(self)
        # The first two panels have another size and their own addresses.
        work.sign_in(self.browser, f"caller.{number + 3}@bench.example", PASSWORD)

    @task
    def call(self) -> None:
        """Call everybody in the queue."""
        for _ref in work.calls(self.browser, self.rng, self._pause):
            self._pause()

    def _pause(self) -> None:
        time.sleep(self.rng.uniform(0.5, 1.5) * PACE)


class Carrier(FastHttpUser):
    """Hands over what patients write: an answer to every fourth reminder of a call.

    A caller makes a call in five steps, so 2,000 at a step a minute are 6.7 calls a second.
    """

    abstract = CARRIERS == 0
    fixed_count = CARRIERS
    wait_time = constant(max(0.1, PACE / 10))

    def on_start(self) -> None:
        """Begin a series of texts that can be had again."""
        self.rng = Random(0)
        self.browser = _Locust(self)

    @task
    def text_in(self) -> None:
        """Hand over one text."""
        number = number_of(self.rng.randint(1, PATIENTS))
        work.text_in(self.browser, number, f"SM{next(_sids):032d}", self.rng)
