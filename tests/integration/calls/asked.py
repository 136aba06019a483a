"""A caller who asks questionnaires on the call screen, as tests see them."""

import re

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.orm import Sessions
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from tests.conftest import sign_in
from tests.integration.calls.day import Day

SCRIPT = {"X-Background": "1"}


class Asking:
    """A caller who asks Rosa questionnaires while they talk."""

    def __init__(self, sessions: Sessions, client: FlaskClient, day: Day) -> None:
        self.sessions, self.client, self.day = sessions, client, day
        self.call = f"/calls/{day.rosa.ref}"
        sign_in(client, day.ana)

    def press(self, code: str, **pressed: str) -> TestResponse:
        """Press one button of the panel, as a page under the key 'page' does."""
        data = {"form_key": "page"} | pressed
        return self.client.post(f"{self.call}/ask/{code}", data=data, headers=SCRIPT)

    def give(self, code: str, answers: dict[int, int]) -> None:
        for number, answer in answers.items():
            assert self.press(code, **{f"item_{number}": str(answer)}).status_code == 200

    def finish(self, code: str, form_key: str = "page") -> str:
        data = {"form_key": form_key}
        answer = self.client.post(f"{self.call}/ask/{code}/finish", data=data, headers=SCRIPT)
        assert answer.status_code == 200
        return answer.text

    def kept(self) -> list[Questionnaire]:
        with self.sessions() as session:
            return list(session.scalars(select(Questionnaire).order_by(Questionnaire.id)))

    def begun(self) -> list[BegunQuestionnaire]:
        with self.sessions() as session:
            return list(session.scalars(select(BegunQuestionnaire)))

    def concerns(self) -> list[tuple[ConcernKind, Urgency]]:
        with self.sessions() as session:
            rows = session.execute(select(Concern.kind, Concern.urgency).order_by(Concern.id))
            return [(kind, urgency) for kind, urgency in rows]


def at_hand(page: str) -> str:
    """Return the question that the page shows: an item's number, or 'end'."""
    (found,) = re.findall(r'data-item="(\w+)">', page)
    return str(found)
