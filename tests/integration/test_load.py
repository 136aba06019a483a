"""What the load test does is what the product takes: one caller's and one patient's share of it."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach import orm, sealing
from outreach.app import create_app
from outreach.calls.models import Attempt, CallNote
from outreach.clock import utc_now
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageStatus
from outreach.scheduler.schedule import periodic_jobs
from scripts.benches import databases, queue_rows
from scripts.benches.queue_rows import NOW, PASSWORD, SMALL, email_of
from scripts.load import beside, served, work
from scripts.load.work import Answer
from scripts.phone_numbers import number_of
from tests.conftest import FAST_HASHER, KEYS

RNG = Random(1)  # noqa: S311 - repeatable chance


class Bare:
    """A browser without a network."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self.answers: list[int] = []

    def get(self, path: str, name: str) -> Answer:  # noqa: ARG002
        return self._kept(self._client.get(path, base_url=work.PUBLIC_URL))

    def post(
        self,
        path: str,
        data: Mapping[str, str],
        name: str,  # noqa: ARG002
        headers: Mapping[str, str],
    ) -> Answer:
        sent = {"Referer": work.PUBLIC_URL} | dict(headers)
        return self._kept(
            self._client.post(path, data=dict(data), headers=sent, base_url=work.PUBLIC_URL)
        )

    def _kept(self, answer: object) -> Answer:
        status, text = answer.status_code, answer.text  # type: ignore[attr-defined]
        self.answers.append(status)
        return Answer(status, text)


def test_a_caller_s_day_and_a_patient_s_text_get_through(database_url: str, tmp_path: Path) -> None:
    queue_rows.fill(database_url, SMALL, FAST_HASHER.hash(PASSWORD))
    app = create_app(served.outside(database_url, tmp_path, NOW - utc_now(), KEYS))
    app.extensions["password_hasher"] = FAST_HASHER
    caller, carrier = Bare(app.test_client()), Bare(app.test_client())

    work.sign_in(caller, email_of(SMALL), PASSWORD)
    called = list(work.calls(caller, RNG, pause=lambda: None))
    work.text_in(carrier, number_of(1), "SM" + "1" * 32, RNG)

    assert len(called) == SMALL
    assert set(caller.answers) <= {200, 302}
    assert carrier.answers[0] < 300
    engine = orm.make_engine(database_url)
    with orm.reading(), orm.make_sessions(engine)() as session:
        made = session.scalar(select(func.count()).where(Attempt.at > NOW.replace(hour=1)))
        words = session.scalars(select(CallNote.text)).all()
        texts = session.scalar(select(func.count()).select_from(InboundText))
    engine.dispose()
    assert made is not None
    assert made >= SMALL
    assert set(words) & set(work.NOTES)
    assert texts == 1


def test_an_answer_goes_out_and_the_carrier_s_report_on_it_comes_in(
    database_url: str, tmp_path: Path
) -> None:
    queue_rows.fill(database_url, SMALL, FAST_HASHER.hash(PASSWORD))
    outside = served.outside(database_url, tmp_path, NOW - utc_now(), KEYS)
    server = Bare(create_app(outside).test_client())
    carrier = beside.ReportingCarrier(
        tmp_path / "taken",
        lambda reference, sid, status: work.report(server, reference, sid, status),
    )
    engine = orm.make_engine(database_url)
    sessions = orm.make_sessions(engine)
    jobs = periodic_jobs(sessions, carrier, outside.clock, tmp_path)

    for number in range(1, 9):  # to some of what patients write there is an answer
        work.text_in(server, number_of(1), f"SM{number:032d}", RNG)
    beside.leave_history(sessions, now=outside.clock())
    beside.settle(jobs)
    carrier.close()

    with orm.reading(), sessions() as session:
        statuses = session.scalars(select(Message.status)).all()
    engine.dispose()
    assert set(statuses) == {MessageStatus.DELIVERED}
    assert carrier.reported == {"taken": len(statuses) * len(beside.REPORTS)}


def test_a_caller_who_may_not_come_in_is_not_taken_for_one_who_works(
    database_url: str, tmp_path: Path
) -> None:
    app = create_app(served.outside(database_url, tmp_path, NOW - utc_now(), KEYS))
    app.extensions["password_hasher"] = FAST_HASHER

    with pytest.raises(work.Unexpected):
        work.sign_in(Bare(app.test_client()), "nobody@bench.example", PASSWORD)


def test_the_server_under_load_reads_what_the_load_test_filled(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("LOAD_AHEAD", "0")
    try:
        app = served.app()
    finally:
        sealing.use(KEYS)
    assert app.extensions["outreach"].config.data_keys == databases.KEYS
