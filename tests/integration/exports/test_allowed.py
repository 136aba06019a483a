"""Who may take which patients along, and that they prove who they are first."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach.accounts.models import EmergencyAccess
from outreach.accounts.rules import Role
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.exports.rules import Progress
from outreach.orm import Sessions
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("needs_reason", "is_opened", "names"),
    [(False, False, {"Aya", "Bea"}), (True, False, set()), (True, True, {"Aya"})],
)
def test_administrators_take_along_only_whom_they_opened_with_a_reason(
    client: FlaskClient,
    sessions: Sessions,
    clock: FakeClock,
    config: Config,
    *,
    needs_reason: bool,
    is_opened: bool,
    names: set[str],
) -> None:
    now = clock()
    with sessions.begin() as session:
        clinic = make_clinic(session)
        aya = make_patient(session, clinic, given_name="Aya")
        make_patient(session, clinic, given_name="Bea")
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        if is_opened:
            session.add(
                EmergencyAccess(
                    staff_id=admin.id,
                    clinic_id=clinic.id,
                    patient_id=aya.id,
                    reason="A complaint",
                    from_at=now,
                    until_at=now + timedelta(hours=1),
                )
            )
    sign_in(client, admin)
    asked = {"content": "patients", "format": "csv", "query": "", "form_key": "key"}
    assert client.post("/exports/", data=asked).status_code == 302
    place = Place(config.exports, timedelta(days=7), b"a key", needs_reason=needs_reason)

    write_exports(sessions, clock, place)

    with sessions() as session:
        export = session.scalars(select(Export)).one()
    assert export.progress is Progress.READY
    with client.get(f"/exports/{export.ref}/file") as answer:
        text = answer.get_data(as_text=True)
    assert {name for name in ("Aya", "Bea") if name in text} == names


def test_whoever_signed_in_long_ago_proves_who_they_are_first(
    client: FlaskClient, sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    clock.advance(timedelta(minutes=11))

    asked = client.post(
        "/exports/",
        data={"content": "patients", "format": "csv", "query": "", "form_key": "key"},
    )

    with sessions() as session:
        assert session.scalars(select(Export)).all() == []
    assert "password" in asked.text.lower()
