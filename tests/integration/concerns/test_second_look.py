"""What was urgent is looked at by a second person; flags are looked at again, never dropped."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.concerns import raising
from outreach.concerns.jobs import alert_unanswered
from outreach.concerns.models import Concern, RiskFlag, RiskReview
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Trigger, Urgency
from outreach.messaging.jobs import send_due_messages
from outreach.patients.models import Patient
from tests.conftest import sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.concerns.conftest import NURSES_NUMBER, Line


def closed(line: Line, clock: FakeClock, urgency: Urgency = Urgency.NOW) -> str:
    """Let the nurse close a concern; return the address of its page."""
    with line.sessions.begin() as session:
        concern = raising.raise_concern(
            session,
            session.get_one(Patient, line.patient.id),
            raising.Raised(Trigger(ConcernKind.SELF_HARM, urgency), "Very low."),
            by_staff_id=line.caller.id,
            now=clock(),
        )
        raising.close(session, concern, "Safe now.", by_staff_id=line.nurse.id, now=clock())
        return f"/concerns/{concern.id}"


def only(line: Line) -> Concern:
    (concern,) = line.concerns()
    return concern


def test_somebody_else_reviews_what_was_urgent(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    path = closed(line, clock)
    sign_in(client, line.nurse)
    own = client.post(f"{path}/review", data={"agree": "1"})
    inbox = client.get("/concerns/").text
    assert "by somebody else: you closed it" in inbox
    assert 'href="#review"><strong>0</strong>' in inbox  # what waits for others is not theirs
    assert "Reviewed: rightly closed" not in client.get(path).text
    sign_in(client, line.second)
    assert "waits for you or another" in client.get("/concerns/").text
    clock.advance(timedelta(minutes=5))

    seen = client.post(f"{path}/review", data={"note": "Agreed with her.", "agree": "1"})
    again = client.post(f"{path}/review", data={"agree": "1"})

    assert [own.status_code, seen.status_code, again.status_code] == [403, 302, 409]
    concern = only(line)
    assert (concern.reviewed_at, concern.reviewed_by_id) == (clock(), line.second.id)
    assert line.steps()[-1] == (StepKind.REVIEWED, "Agreed with her.")
    assert "to be seen by a second person" not in client.get("/concerns/").text


def test_a_manager_may_be_the_second_person(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    path = closed(line, clock)
    sign_in(client, line.manager)

    assert client.post(f"{path}/review", data={"agree": "1"}).status_code == 302
    assert only(line).reviewed_by_id == line.manager.id


def test_what_was_not_urgent_needs_no_second_person(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    closed(line, clock, Urgency.SAME_DAY)
    sign_in(client, line.second)

    assert "to be seen by a second person" not in client.get("/concerns/").text


def test_opening_again_needs_a_reason_and_tells_who_is_on_call_anew(
    line: Line, client: FlaskClient, gateway: FakeGateway, clock: FakeClock
) -> None:
    path = closed(line, clock)
    clock.advance(timedelta(hours=5))
    sign_in(client, line.second)

    refused = client.post(f"{path}/review", data={"note": " ", "reopen": "1"})
    opened = client.post(f"{path}/review", data={"note": "Nobody rang her.", "reopen": "1"})
    twice = client.post(f"{path}/review", data={"note": "Nobody rang her.", "reopen": "1"})
    send_due_messages(line.sessions, gateway, clock)
    alert_unanswered(line.sessions, clock)
    send_due_messages(line.sessions, gateway, clock)

    assert [refused.status_code, opened.status_code, twice.status_code] == [422, 302, 409]
    assert "Write why it is opened again." in refused.text
    assert [sms.to for sms in gateway.sent] == [NURSES_NUMBER]
    concern = only(line)
    assert concern.status is ConcernStatus.OPEN
    assert (concern.closed_at, concern.acknowledged_at, concern.times_reopened) == (None, None, 1)
    assert line.steps()[-1] == (StepKind.REOPENED, "Nobody rang her.")
    clock.advance(timedelta(minutes=15))
    alert_unanswered(line.sessions, clock)
    send_due_messages(line.sessions, gateway, clock)
    assert len(gateway.sent) == 2
    sign_in(client, line.second)
    assert client.post(f"{path}/acknowledge").status_code == 302
    assert only(line).acknowledged_by_id == line.second.id


def test_the_lead_who_is_on_call_takes_on_what_reaches_them(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    with line.sessions.begin() as session:
        raised = raising.safety("Very low.")
        patient = session.get_one(Patient, line.patient.id)
        raising.raise_concern(session, patient, raised, by_staff_id=None, now=clock())
    path = f"/concerns/{only(line).id}"
    sign_in(client, line.manager)
    assert client.post(f"{path}/acknowledge").status_code == 403
    client.post(
        "/concerns/on-call/net",
        data={"net-needed": "anybody", "net-lead_id": str(line.manager.id)},
    )

    assert client.post(f"{path}/acknowledge").status_code == 302

    assert only(line).acknowledged_by_id == line.manager.id


def test_counts_of_the_inbox_equal_its_lists(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    closed(line, clock)
    with line.sessions.begin() as session:
        patient = session.get_one(Patient, line.patient.id)
        raised = [
            raising.raise_concern(
                session, patient, raising.safety(f"Worry {n}"), by_staff_id=None, now=clock()
            )
            for n in range(3)
        ]
        for concern, who in zip(raised, (line.second, line.nurse), strict=False):
            raising.acknowledge(session, concern, by_staff_id=who.id, now=clock())
    sign_in(client, line.second)

    page = client.get("/concerns/").text

    counts = {
        name: int(page.split(f'href="#{name}"><strong>')[1].split("<")[0])
        for name in ("waiting", "mine", "others", "review", "flags")
    }
    assert counts == {"waiting": 1, "mine": 1, "others": 1, "review": 1, "flags": 0}
    for name in ("waiting", "mine", "others"):
        section = page.split(f'id="{name}"')[1].split("</section>")[0]
        assert section.count("Worry") == counts[name]


def test_a_flag_shows_before_dialling_and_stays_past_its_day(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, line.nurse)
    flag = {"kind": "suicide", "words": "Life was too much in October.", "review_on": "2026-12-03"}
    pages = f"/concerns/flags/{line.patient.ref}"
    too_far = client.post(pages, data=flag | {"review_on": "2027-11-01"})
    past = client.post(pages, data=flag | {"review_on": "2026-11-01"})
    assert [too_far.status_code, past.status_code] == [422, 422]
    assert client.post(pages, data=flag).status_code == 302
    sign_in(client, line.caller)

    shown = [client.get(path).text for path in (line.call, f"/patients/{line.patient.ref}")]

    assert all("Life was too much in October." in page for page in shown)
    assert all("look again by Dec 3, 2026" in page for page in shown)
    clock.advance(timedelta(days=30))
    sign_in(client, line.caller)
    late = client.get(f"/patients/{line.patient.ref}").text
    assert "Look again was due Dec 3, 2026" in late
    sign_in(client, line.second)
    assert "Lena Ortiz" in client.get("/concerns/").text.split('id="flags"')[1]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"note": "Better.", "review_on": "2026-12-20", "keep": "1"}, 302),
        ({"note": "Better.", "keep": "1"}, 422),
        ({"note": "", "end": "1"}, 422),
        ({"note": "Over since the visit.", "end": "1"}, 302),
    ],
)
def test_a_look_keeps_a_flag_with_a_new_day_or_ends_it_with_words(
    line: Line, client: FlaskClient, answer: dict[str, str], status: int
) -> None:
    sign_in(client, line.nurse)
    flag = {"kind": "other", "words": "Lives alone.", "review_on": "2026-12-03"}
    client.post(f"/concerns/flags/{line.patient.ref}", data=flag)
    with line.sessions() as session:
        flag_id = session.scalars(select(RiskFlag.id)).one()

    looked = client.post(f"/concerns/flags/{flag_id}/review", data=answer)

    assert looked.status_code == status
    with line.sessions() as session:
        kept = session.get_one(RiskFlag, flag_id)
        looks = session.scalars(select(RiskReview)).all()
        assert len(looks) == (status == 302)
        assert (kept.ended_at is not None) is (status == 302 and "end" in answer)
        assert kept.review_on.isoformat() == (
            "2026-12-20" if status == 302 and "keep" in answer else "2026-12-03"
        )


def test_callers_set_no_flags(line: Line, client: FlaskClient) -> None:
    sign_in(client, line.caller)

    assert client.get(f"/concerns/flags/{line.patient.ref}").status_code == 404


def test_the_caller_reads_why_a_concern_was_opened_again(
    line: Line, client: FlaskClient, clock: FakeClock
) -> None:
    path = closed(line, clock)
    clock.advance(timedelta(minutes=5))
    sign_in(client, line.second)
    client.post(f"{path}/review", data={"note": "Nobody rang her sister.", "reopen": "1"})
    sign_in(client, line.caller)

    assert "Nobody rang her sister." in client.get(f"/calls/{line.patient.ref}").text
