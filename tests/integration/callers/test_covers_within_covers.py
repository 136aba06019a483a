"""Stand-ins who are away in turn, and what becomes of that when something changes."""

from datetime import timedelta

from flask.testing import FlaskClient

from outreach.orm import Sessions
from tests.conftest import sign_in
from tests.fakes import FakeClock
from tests.integration.callers.absences import (
    DAYS,
    WEDNESDAY,
    answers_on,
    entered,
    on_duty,
)
from tests.integration.callers.conftest import Place

THURSDAY = {"from_on": "2026-11-26", "last_on": "2026-11-26", "propose": "1"}
A_DAY = timedelta(days=1)


def change(client: FlaskClient, absence_id: int, days: dict[str, str], **more: str) -> str:
    """Change an absence as its page offers it; return the page that follows."""
    url = f"/callers/absences/{absence_id}"
    page = client.post(url, data={**days, "propose": "1"}).text
    data = {**days, **answers_on(page), **more, "save": "1"}
    answer = client.post(url, data=data, follow_redirects=True)
    assert "Saved." in answer.text
    return answer.text


def covered_on_thursday(client: FlaskClient, sessions: Sessions, place: Place) -> int:
    """Ana is away and Ben calls Sam, but Carla on Thursday; return Ana's absence."""
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place)
    page = client.post(f"/callers/{place.ben.id}/absences", data=THURSDAY).text
    data = {**THURSDAY, **answers_on(page), "propose": "", "save": "1"}
    client.post(f"/callers/{place.ben.id}/absences", data=data)
    assert on_duty(sessions, place.sams.id, WEDNESDAY + A_DAY) == place.carla.id
    return absence_id


def test_a_stand_in_who_goes_away_is_covered_and_comes_back(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    entered(client, sessions, place)

    page = client.post(f"/callers/{place.ben.id}/absences", data=THURSDAY).text
    saved = client.post(
        f"/callers/{place.ben.id}/absences",
        data={**THURSDAY, **answers_on(page), "propose": "", "save": "1"},
    )

    assert "covered for Ana Lima" in page
    assert saved.status_code == 302
    assert [on_duty(sessions, place.sams.id, WEDNESDAY + days * A_DAY) for days in range(4)] == [
        place.ben.id,
        place.carla.id,
        place.ben.id,
        place.ana.id,
    ]


def test_whoever_comes_back_early_gets_everybody_back_from_stand_ins_of_stand_ins(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    absence_id = covered_on_thursday(client, sessions, place)
    clock.now = WEDNESDAY + A_DAY + timedelta(hours=10)
    sign_in(client, place.manager)
    assert on_duty(sessions, place.sams.id, clock()) == place.carla.id

    client.post(f"/callers/absences/{absence_id}/end")

    assert on_duty(sessions, place.sams.id, clock()) == place.ana.id


def test_another_note_leaves_those_who_cover_for_a_stand_in(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    absence_id = covered_on_thursday(client, sessions, place)

    sams = {f"caller-{place.sams.id}": str(place.ben.id)}
    page = change(client, absence_id, DAYS, note="Sam moved.", **sams)

    assert "former stand-in" not in page
    assert [on_duty(sessions, place.sams.id, WEDNESDAY + days * A_DAY) for days in range(4)] == [
        place.ben.id,
        place.carla.id,
        place.ben.id,
        place.ana.id,
    ]


def test_days_that_end_before_somebody_would_cover_leave_nothing_of_it(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    absence_id = covered_on_thursday(client, sessions, place)

    change(client, absence_id, {**DAYS, "last_on": "2026-11-25"})

    assert on_duty(sessions, place.sams.id, WEDNESDAY) == place.ben.id
    assert on_duty(sessions, place.sams.id, WEDNESDAY + A_DAY) == place.ana.id


def test_another_stand_in_ends_what_was_arranged_for_the_former_and_says_so(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    absence_id = covered_on_thursday(client, sessions, place)

    sams = {f"caller-{place.sams.id}": str(place.carla.id)}
    page = change(client, absence_id, DAYS, **sams)

    assert "was to call 1 patient for the former stand-in" in page
    assert on_duty(sessions, place.sams.id, WEDNESDAY + A_DAY) == place.carla.id
    assert on_duty(sessions, place.sams.id, WEDNESDAY) == place.carla.id


def test_a_stand_in_who_would_be_away_uncovered_for_a_part_of_it_is_not_kept(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    absence_id = entered(client, sessions, place)
    until_monday = {**THURSDAY, "last_on": "2026-11-30"}
    page = client.post(f"/callers/{place.ben.id}/absences", data=until_monday).text
    data = {**until_monday, **answers_on(page), "propose": "", "save": "1"}
    client.post(f"/callers/{place.ben.id}/absences", data=data)
    assert on_duty(sessions, place.sams.id, WEDNESDAY + A_DAY) == place.carla.id

    change(client, absence_id, {**DAYS, "last_on": "2026-12-01"})  # Carla's cover ends on Friday

    monday = WEDNESDAY + 5 * A_DAY
    assert on_duty(sessions, place.sams.id, monday) == place.carla.id


def test_an_absence_that_is_changed_twice_on_the_day_keeps_who_covers(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    absence_id = covered_on_thursday(client, sessions, place)
    clock.now = WEDNESDAY + A_DAY + timedelta(hours=10)
    sign_in(client, place.manager)

    for note in ("Sam moved.", "Sam moved, and has a dog."):
        change(client, absence_id, DAYS, note=note)
        clock.advance(timedelta(minutes=5))

    assert on_duty(sessions, place.sams.id, clock()) == place.carla.id
    assert on_duty(sessions, place.sams.id, WEDNESDAY + 2 * A_DAY) == place.ben.id
