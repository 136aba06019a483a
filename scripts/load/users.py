"""The locustfile: callers, each with an account of their own, and the carrier.

Started by ``python -m scripts.load.run``. LOAD_CALLERS says how many accounts there are,
LOAD_PACE how many seconds pass between two things that a caller does.
"""

import itertools
import os
import time
from collections.abc import Mapping
from random import Random

from locust import HttpUser, constant, task

from scripts.load import work
from scripts.load.work import Answer
from scripts.phone_numbers import number_of

CALLERS = int(os.environ.get("LOAD_CALLERS", "1"))
PACE = float(os.environ.get("LOAD_PACE", "10"))
PASSWORD = os.environ.get("LOAD_PASSWORD", "")
PATIENTS = int(os.environ.get("LOAD_PATIENTS", "1"))
_numbers = itertools.count()
_sids = itertools.count(int(time.time()))


class _Locust:
    """A browser whose requests locust counts and times."""

    def __init__(self, user: HttpUser) -> None:
        self._client = user.client

    def get(self, path: str, name: str) -> Answer:
        got = self._client.get(path, name=name)
        return Answer(got.status_code, got.text)

    def post(
        self, path: str, data: Mapping[str, str], name: str, headers: Mapping[str, str]
    ) -> Answer:
        got = self._client.post(path, data=data, name=name, headers=headers)
        return Answer(got.status_code, got.text)


class Caller(HttpUser):
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


class Carrier(HttpUser):
    """Hands over what patients write: an answer to every fourth reminder of a call.

    A caller makes a call in five steps, so 2,000 at a step a minute are 6.7 calls a second.
    """

    fixed_count = max(1, CALLERS // 200)
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
