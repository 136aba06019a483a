"""Encrypted names keep their order, whoever writes them and in which order they come."""

import random
import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select, text, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.orm import Sessions
from outreach.patients import ranking
from outreach.patients.jobs import place_in_order
from outreach.patients.models import Patient
from outreach.patients.rules import name_key, record_key
from outreach.upkeep import promises
from tests.builders import make_clinic, make_patient
from tests.fakes import MONDAY_10_CHICAGO

FAMILIES = "Ábalos Abbott abt Brown Çelik Cole Núñez Nunez nuñez Zhou Ünal O'Brien".split()


def assert_in_order(session: Session) -> None:
    by_name = session.scalars(select(Patient).order_by(Patient.name_rank, Patient.id)).all()
    names = [name_key(each.family_name, each.given_name) for each in by_name]
    by_record = session.scalars(select(Patient).order_by(Patient.record_rank, Patient.id)).all()
    records = [record_key(each.record_number) for each in by_record]
    assert names == sorted(names)
    assert records == sorted(records)
    assert all(each.name_rank and each.record_rank for each in by_name)


def test_whoever_is_added_takes_their_place(sessions: Sessions) -> None:
    draw = random.Random(3)  # noqa: S311 - the same names each time
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for number in range(40):
            make_patient(
                session,
                clinic,
                family_name=draw.choice(FAMILIES),
                given_name=draw.choice("Ana Bea Cem".split()),
                record_number=f"R{draw.randrange(10**6)}-{number}",
            )
        assert_in_order(session)
        for patient in session.scalars(select(Patient)).all():
            patient.family_name = draw.choice(FAMILIES)
        session.flush()
        assert_in_order(session)


def test_there_is_room_for_any_number_between_two(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for number in range(30, 0, -1):  # each before all the others: the gap halves
            make_patient(session, clinic, family_name=f"Cole {number:02}")
        session.execute(update(Patient).values(name_rank=Patient.name_rank / ranking.GAP))
        make_patient(session, clinic, family_name="Cole 00")
        make_patient(session, clinic, family_name="Cole 15b")
        assert_in_order(session)


def test_thousands_past_the_session_are_placed_among_the_others(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        first = make_patient(session, clinic, family_name="Cole")
        make_patient(session, clinic, family_name="Dunn")
        unset = {"id", "ref", "record_number", "family_name", "name_rank", "record_rank"}
        row = {
            column.key: getattr(first, column.key)
            for column in Patient.__table__.columns
            if column.key not in unset
        }
        for some in (60, 3):
            now = session.query(Patient).count()
            rows = [
                {
                    **row,
                    "ref": f"r{n}",
                    "record_number": f"{n}",
                    "family_name": f"{chr(97 + n % 7)}{n}",
                }
                for n in range(now, now + some)
            ]
            session.connection().execute(insert(Patient), rows)
            assert (
                session.scalars(select(Patient.name_rank).order_by(Patient.id.desc())).first() == 0
            )
            ranking.place_new(session)
            session.expire_all()
            assert_in_order(session)
    assert place_in_order(sessions) == 0


def test_who_was_there_before_the_upgrade_is_placed_by_the_scheduler(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for name in FAMILIES * 2:
            make_patient(session, clinic, family_name=name)
        session.execute(update(Patient).values(name_rank=0, record_rank=0))
    assert place_in_order(sessions) == 2 * 2 * len(FAMILIES)
    with sessions() as session:
        assert_in_order(session)


def test_a_hundred_in_order_are_placed_without_moving_everybody(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a list that is typed in by its order, before the one patient who is there."""
    moved: list[int] = []
    renumber = ranking._renumbered

    def noted(*given: Any) -> dict[int, int]:
        moved.append(1)
        return renumber(*given)

    monkeypatch.setattr(ranking, "_renumbered", noted)
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_patient(session, clinic, family_name="Zuckermann", record_number="Z")
        for number in range(98):
            make_patient(
                session, clinic, family_name=f"Cole {number:02}", record_number=f"R{number:02}"
            )
        assert_in_order(session)
    assert len(moved) <= 2 * 2  # of two orders


def test_two_who_add_at_the_same_moment_see_each_other(sessions: Sessions, engine: Engine) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_patient(session, clinic, family_name="Abbott", record_number="1")

    def add(name: str) -> None:
        with sessions.begin() as session:
            make_patient(
                session, session.get_one(Clinic, clinic.id), family_name=name, record_number=name
            )

    with sessions() as first:
        make_patient(first, first.get_one(Clinic, clinic.id), family_name="Zhou", record_number="Z")
        other = threading.Thread(target=add, args=["Cole"])
        other.start()
        while other.is_alive() and not _is_anybody_waiting(engine):
            time.sleep(0.01)
        first.commit()
    other.join()

    with sessions() as session:
        assert_in_order(session)
        ranks = session.scalars(select(Patient.name_rank)).all()
        assert len(set(ranks)) == len(ranks) == 3


def _is_anybody_waiting(engine: Engine) -> bool:
    if engine.dialect.name == "sqlite":  # has one writer: the other one waits to begin
        return True
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with engine.connect() as connection:
        return bool(connection.scalar(waiting))


def test_after_an_upgrade_everybody_is_placed_in_pages(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.patients.jobs.PAGE", 5)
    began = []
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for name in FAMILIES:
            make_patient(session, clinic, family_name=name)
        session.execute(update(Patient).values(name_rank=0, record_rank=0))
    event.listen(sessions.kw["bind"], "commit", lambda _connection: began.append(1))

    assert place_in_order(sessions) == 2 * len(FAMILIES)

    assert len(began) == -(-len(FAMILIES) // 5) + 1
    with sessions() as session:
        assert_in_order(session)


def test_whoever_stands_in_a_wrong_place_is_told_and_can_be_put_right(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        abbott = make_patient(session, clinic, family_name="Abbott")
        for name in ("Cole", "Zhou"):
            make_patient(session, clinic, family_name=name)
        assert ranking.out_of_order(session) == []
        last = session.scalar(select(func.max(Patient.name_rank))) or 0
        session.execute(update(Patient).where(Patient.id == abbott.id).values(name_rank=last + 1))
        assert ranking.out_of_order(session) == [abbott.id]
        found = promises.breaches(session, now=MONDAY_10_CHICAGO)
        assert [(each.table, each.ids) for each in found] == [("patient", (abbott.id,))]
        assert ranking.place_anew(session) == 3
        assert ranking.out_of_order(session) == []
