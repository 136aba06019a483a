"""A caller who saves calls, and what a nurse hears of it."""

from collections.abc import Sequence

from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.concerns.models import Alert, Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.measures.models import Reading
from outreach.orm import Sessions
from tests.conftest import sign_in
from tests.integration.calls.day import Day


class Saving:
    """Ana, signed in, with Rosa's call."""

    def __init__(self, sessions: Sessions, client: FlaskClient, day: Day) -> None:
        self.sessions, self.client, self.day = sessions, client, day
        self.address = f"/calls/{day.rosa.ref}"
        sign_in(client, day.ana)

    def save(self, **answers: object) -> tuple[int, str]:
        data: dict[str, object] = {**self.day.form(reached="yes", minutes="5"), **answers}
        answer = self.client.post(self.address, data=data)
        return answer.status_code, answer.text

    def concerns(self) -> Sequence[Concern]:
        with self.sessions() as session:
            return session.scalars(select(Concern).order_by(Concern.id)).all()

    def steps(self) -> list[tuple[StepKind, str]]:
        with self.sessions() as session:
            rows = session.scalars(select(ConcernStep).order_by(ConcernStep.id))
            return [(step.kind, step.note) for step in rows]

    def alerts(self) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count(Alert.id))) or 0

    def readings(self) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count(Reading.id))) or 0
