"""What somebody typed to ask for a file is kept encrypted, and no longer than it is needed."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from outreach import sealing
from outreach.exports.rules import Progress
from outreach.orm import Sessions
from outreach.upkeep.jobs import seal_what_is_in_clear
from tests.integration.exports.conftest import NOW, House


def kept(sessions: Sessions) -> dict[str, Any]:
    with sessions() as session:
        found = session.scalar(text("SELECT asked FROM export"))
        return json.loads(found) if isinstance(found, str) else dict(found or {})


def ruin(session: Session, asked: dict[str, object]) -> None:
    session.execute(text("UPDATE export SET asked = :asked"), {"asked": json.dumps(asked)})


def test_whose_accounts_are_asked_for_is_encrypted_and_then_forgotten(house: House) -> None:
    house.ask("staff accounts", "csv", "search=ana lima")
    assert kept(house.sessions)["search"].startswith("v1.")
    assert house.one().asked == {"search": "ana lima"}

    assert [row["name"] for row in house.rows()] == ["Ana Lima"]

    assert "search" not in kept(house.sessions)


def test_whose_events_are_asked_for_is_encrypted_and_then_forgotten(house: House) -> None:
    days = f"from_on={NOW.date()}&until_on={NOW.date()}"
    house.ask("audit trail", "csv", f"staff={house.manager.email}&{days}")
    assert kept(house.sessions)["staff"].startswith("v1.")

    assert {row["staff"] for row in house.rows()} == {house.manager.name}

    assert "staff" not in kept(house.sessions)


def test_what_a_file_of_the_release_before_was_asked_of_is_forgotten(house: House) -> None:
    house.ask("staff accounts", "csv", "search=ana")
    house.taken()
    with house.sessions.begin() as session:
        ruin(session, {"search": "ana lima", "within": [1]})

    assert seal_what_is_in_clear(house.sessions) == 1

    assert kept(house.sessions) == {"within": [1]}
    assert seal_what_is_in_clear(house.sessions) == 0


def test_one_that_waits_is_read_in_clear_and_not_forgotten(house: House) -> None:
    house.ask("staff accounts", "csv", "search=ana")
    with house.sessions.begin() as session:
        ruin(session, {"search": "ana lima"})

    assert seal_what_is_in_clear(house.sessions) == 0

    assert [row["name"] for row in house.rows()] == ["Ana Lima"]


def test_where_its_key_is_gone_nobody_is_found(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.ask("staff accounts", "csv", "search=ana")
    with house.sessions.begin() as session:
        ruin(session, {"search": "v1.gone.AAAA"})

    assert house.rows() == []
    assert house.one().progress is Progress.READY
    assert "export.asked can't be decrypted" in caplog.text


def test_while_the_release_before_may_write_it_it_is_in_clear(sessions: Sessions) -> None:
    before = list(sealing._in_use)
    kind, given = sealing.SealedWithin("export.asked", ("search",)), {"search": "ana"}
    try:
        sealing.use([("k", b"1" * 32)], in_clear_for=100)
        with sessions() as session:
            assert kind.process_bind_param(given, session.get_bind().dialect) == given
    finally:
        sealing.use([("k", b"1" * 32)])
        sealing._in_use[:] = before
