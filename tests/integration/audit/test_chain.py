"""The audit trail is only appended to, and its chain tells of whoever did otherwise."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from config import Config
from outreach.audit import chain, keeping, trail
from outreach.audit.jobs import link_events
from outreach.audit.models import AuditEvent, AuditLink
from outreach.orm import Sessions
from tests.fakes import FakeClock

NOW = FakeClock()()


def act(sessions: Sessions, times: int) -> None:
    with sessions.begin() as session:
        for each in range(times):
            at = NOW + timedelta(seconds=each)
            trail.record(session, "viewed", actor_id=None, now=at, about=("patient", each + 1))


def tamper(sessions: Sessions, *statements: object) -> None:
    """Do what only whoever owns the database can do: take the triggers off first."""
    with sessions.begin() as session:
        if session.get_bind().dialect.name == "postgresql":
            for table in ("audit_event", "audit_link"):
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        else:
            session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            names = session.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
            ).all()
            for name in names:
                session.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            session.execute(statement)  # type: ignore[call-overload]


def proof(sessions: Sessions, kept: chain.Head | None = None) -> chain.Proof:
    with sessions() as session:
        return chain.prove(session, kept=kept)


def head(sessions: Sessions) -> chain.Head:
    with sessions() as session:
        return chain.head(session)


@pytest.mark.parametrize("table", [AuditEvent, AuditLink])
def test_the_database_refuses_to_change_or_delete_what_was_noted(
    sessions: Sessions, table: type[AuditEvent | AuditLink]
) -> None:
    act(sessions, 1)
    link_events(sessions)
    column = "action" if table is AuditEvent else "digest"

    for statement in (update(table).values({column: "x"}), delete(table)):
        with pytest.raises(DBAPIError, match="only appended"), sessions.begin() as session:
            session.execute(statement)


@pytest.mark.parametrize("table", ["audit_event", "audit_link"])
def test_nothing_goes_around_the_refusal(sessions: Sessions, table: str) -> None:
    """Emptying a whole table, or writing a row over another, is neither UPDATE nor DELETE."""
    act(sessions, 1)
    link_events(sessions)
    with sessions() as session:
        is_postgresql = session.get_bind().dialect.name == "postgresql"
    over = {
        "audit_event": "INSERT OR REPLACE INTO audit_event (id, at, action, object_kind) "
        "SELECT id, at, 'left alone', object_kind FROM audit_event",
        "audit_link": "REPLACE INTO audit_link SELECT position, event_id, 'x' FROM audit_link",
    }
    around = f"TRUNCATE {table} CASCADE" if is_postgresql else over[table]

    with pytest.raises(DBAPIError, match="only appended"), sessions.begin() as session:
        session.execute(text(around))

    act(sessions, 1)
    assert link_events(sessions) == 1


def test_events_are_linked_once_and_the_chain_is_whole(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.audit.jobs.PAGE", 3)
    monkeypatch.setattr(chain, "PAGE", 2)
    act(sessions, 7)

    assert link_events(sessions) == 7
    assert link_events(sessions) == 0
    act(sessions, 2)
    assert proof(sessions).unlinked == 2
    assert link_events(sessions) == 2

    found = proof(sessions)
    assert (found.broken, found.unlinked) == (None, 0)
    assert found.head == head(sessions)
    assert found.head.position == 9


def test_an_empty_trail_is_whole(sessions: Sessions) -> None:
    assert link_events(sessions) == 0
    assert proof(sessions).broken is None


def test_a_changed_event_is_found(sessions: Sessions) -> None:
    act(sessions, 5)
    link_events(sessions)
    with sessions() as session:
        third = session.scalars(select(AuditEvent.id).order_by(AuditEvent.id)).all()[2]

    tamper(sessions, update(AuditEvent).where(AuditEvent.id == third).values(object_id=99))

    assert proof(sessions).broken == f"event {third} (link 3) was changed"


def test_a_removed_event_is_found(sessions: Sessions) -> None:
    act(sessions, 5)
    link_events(sessions)
    with sessions() as session:
        event_id = session.scalar(select(AuditLink.event_id).where(AuditLink.position == 4))
    whole = (delete(AuditLink).where(AuditLink.position == 4),)

    tamper(sessions, *whole, delete(AuditEvent).where(AuditEvent.id == event_id))

    assert proof(sessions).broken == "link 4 is missing"


def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_kept(sessions: Sessions) -> None:
    act(sessions, 5)
    link_events(sessions)
    kept = head(sessions)

    tamper(sessions, delete(AuditLink).where(AuditLink.position == 5))

    assert proof(sessions).broken is None
    assert proof(sessions, kept).broken == "the chain ends before link 5"


def test_a_chain_that_was_made_anew_is_found_by_the_head_that_was_kept(sessions: Sessions) -> None:
    act(sessions, 5)
    link_events(sessions)
    kept = head(sessions)
    tamper(sessions, delete(AuditLink), update(AuditEvent).values(action="left alone"))
    link_events(sessions)

    assert proof(sessions).broken is None
    assert proof(sessions, kept).broken == "link 5 is not the one that was kept"


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if each.levelname == "ERROR"]


def test_an_end_that_was_cut_off_is_told_and_the_end_that_was_kept_stays(
    sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit_head"
    act(sessions, 5)
    link_events(sessions, path)
    kept = head(sessions)
    assert keeping.read(path) == kept
    assert link_events(sessions, path) == 0
    assert errors(caplog) == []

    tamper(sessions, delete(AuditLink).where(AuditLink.position == 5), delete(AuditEvent).where(
        AuditEvent.id == select(func.max(AuditEvent.id)).scalar_subquery()
    ))  # fmt: skip
    link_events(sessions, path)
    assert errors(caplog) == [
        f"the audit trail is not as it was: the chain ends before link 5, which {path} has"
    ]

    act(sessions, 2)
    link_events(sessions, path)
    assert errors(caplog)[-1].startswith(
        "the audit trail is not as it was: link 5 is not the one that was kept"
    )
    assert keeping.read(path) == kept


def test_monitors_are_told_whether_the_chain_holds_the_end_that_was_kept(
    client: FlaskClient, sessions: Sessions, tmp_path: Path
) -> None:
    def told() -> list[str]:
        page = client.get("/metrics").text
        return [line for line in page.splitlines() if line.startswith("outreach_audit_whole ")]

    path = tmp_path / "audit_head"
    act(sessions, 5)
    link_events(sessions, path)
    assert told() == [], "nothing was held against anything yet"
    link_events(sessions, path)
    assert told() == ["outreach_audit_whole 1.0"]

    tamper(sessions, delete(AuditLink), update(AuditEvent).values(action="left alone"))
    link_events(sessions, path)
    assert told() == ["outreach_audit_whole 0.0"]

    keeping.set_aside(path)  # as after a restore
    for _tick in range(2):
        link_events(sessions, path)
    assert told() == ["outreach_audit_whole 1.0"]


def test_the_end_that_was_kept_moves_on_with_the_chain(sessions: Sessions, tmp_path: Path) -> None:
    path = tmp_path / "audit_head"
    for times in (2, 3):
        act(sessions, times)
        link_events(sessions, path)

    assert keeping.read(path) == head(sessions)
    assert head(sessions).position == 5
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_end_that_is_not_there_any_more_is_told(
    app: Flask, sessions: Sessions, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    """Deleted, say, by who cut the end off the chain."""
    path, run = keeping.kept_in(config.instance_path), app.test_cli_runner()
    act(sessions, 3)
    link_events(sessions, path)
    caplog.clear()
    link_events(sessions, path)
    assert "begins anew" not in caplog.text
    assert "is in it" in run.invoke(args=["audit", "verify"]).output

    path.unlink()

    assert "nothing proves that nothing was cut off" in run.invoke(args=["audit", "verify"]).output
    for _tick in range(2):
        link_events(sessions, path)
    assert caplog.text.count("no end of the audit trail was kept here") == 1


def test_what_is_no_end_of_a_chain_is_none(tmp_path: Path) -> None:
    path = tmp_path / "audit_head"
    assert keeping.read(path) is None
    path.write_text("five x")
    assert keeping.read(path) is None


def test_commands_hold_the_chain_against_the_end_that_was_kept(
    app: Flask, sessions: Sessions, config: Config
) -> None:
    act(sessions, 3)
    link_events(sessions, keeping.kept_in(config.instance_path))
    run = app.test_cli_runner()
    assert run.invoke(args=["audit", "verify"]).exit_code == 0
    assert run.invoke(args=["check", "invariants"]).exit_code == 0

    tamper(sessions, delete(AuditLink), delete(AuditEvent))
    cut, broken = run.invoke(args=["audit", "verify"]), run.invoke(args=["check", "invariants"])

    assert (cut.exit_code, broken.exit_code) == (1, 1)
    assert "the chain ends before link 3" in cut.output
    assert "the chain ends before link 3" in broken.output


def test_an_event_that_was_committed_late_is_linked_all_the_same(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for event_id in (1, 3):
            session.add(_event(event_id))
    link_events(sessions)
    with sessions.begin() as session:
        session.add(_event(2))

    assert link_events(sessions) == 1
    assert proof(sessions).broken is None
    with sessions() as session:
        linked = session.scalars(select(AuditLink.event_id).order_by(AuditLink.position)).all()
    assert list(linked) == [1, 3, 2]


def test_two_who_link_at_once_make_one_chain(sessions: Sessions) -> None:
    act(sessions, 40)

    def link() -> None:
        for _again in range(5):
            try:
                link_events(sessions)
            except DBAPIError:  # the other one was quicker
                continue

    pair = [threading.Thread(target=link) for _ in range(2)]
    for each in pair:
        each.start()
    for each in pair:
        each.join()

    assert proof(sessions).broken is None
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(AuditLink)) == 40


def test_the_command_says_whether_the_chain_is_whole(app: Flask, sessions: Sessions) -> None:
    act(sessions, 3)
    link_events(sessions)
    end = head(sessions)
    run = app.test_cli_runner()

    whole = run.invoke(args=["audit", "verify", "--link", "3", "--digest", end.digest])
    other = run.invoke(args=["audit", "verify", "--link", "3", "--digest", "0" * 64])
    half = run.invoke(args=["audit", "verify", "--link", "3"])

    assert (whole.exit_code, other.exit_code, half.exit_code) == (0, 1, 2)
    assert "3 links" in whole.output
    assert "not the one that was kept" in other.output


def _event(event_id: int) -> AuditEvent:
    return AuditEvent(id=event_id, at=NOW, action="viewed", object_kind="patient")
