"""A database that is at no version, as a restore leaves it that was cut off, is left alone."""

from sqlalchemy import Engine, text

from outreach import orm
from outreach.orm import Sessions
from outreach.scheduler.leader import DatabaseLeadership
from outreach.scheduler.worker import Worker
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_reminder
from tests.postgres import Server


def without_version(engine: Engine) -> str:
    """Take the version out, and return it."""
    with orm.writing(), engine.begin() as connection:
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("DELETE FROM alembic_version"))
    return str(version)


def put_back(engine: Engine, version: str) -> None:
    with orm.writing(), engine.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES (:is_at)"), {"is_at": version})


def test_no_worker_sends_from_it(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, engine: Engine
) -> None:
    make_reminder(sessions, clock)
    version, sent = without_version(engine), list[int]()
    worker = Worker(sessions, gateway, clock)

    def idle(_seconds: float) -> None:
        sent.append(len(gateway.sent))
        if len(sent) == 1:
            put_back(engine, version)
        else:
            worker.stop()

    worker.run(idle)

    assert sent == [0, 1]


def test_no_scheduler_leads_on_it(postgres: Server) -> None:
    """SQLite's file is put in its place once it is whole."""
    with postgres.database("template_outreach") as url:
        engine = orm.make_engine(url)
        version, seat = without_version(engine), DatabaseLeadership(engine)
        assert not seat.acquire()

        put_back(engine, version)

        assert seat.acquire()
        seat.release()
        engine.dispose()
