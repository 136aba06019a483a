"""A questionnaire that two tabs answer and score at the same moment."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.patients.models import Patient
from outreach.questionnaires import asking as keeping
from outreach.questionnaires import item_by_item
from outreach.questionnaires.item_by_item import KeptAlready, Said
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import INSTRUMENTS, InstrumentCode
from tests.builders import actor_of, make_patient
from tests.fakes import FakeClock
from tests.integration.calls.asked import Asking
from tests.integration.calls.test_item_by_item import TALKED

PHQ_2 = INSTRUMENTS[InstrumentCode.PHQ_2]
NOW = FakeClock()()


class Tab:
    """One tab of a caller, in a transaction that another tab may interrupt."""

    def __init__(self, session: Session, asking: Asking) -> None:
        self.session = session
        self.patient = session.get_one(Patient, asking.day.rosa.id)
        self.actor: Actor = actor_of(asking.day.ana, asking.day.clinic)

    def say(self, form_key: str, answers: dict[int, int]) -> BegunQuestionnaire:
        said = Said(form_key, answers)
        return item_by_item.keep(self.session, self.patient, PHQ_2, said, actor=self.actor, now=NOW)

    def score(self) -> None:
        item_by_item.finish(self.session, self.patient, PHQ_2, "page", actor=self.actor, now=NOW)


def before_the_lock(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let ``act`` happen once, just before somebody locks what was begun."""
    real = keeping.begun

    def begun(*args: object, **kwargs: object) -> object:
        if kwargs.get("is_locked"):
            monkeypatch.setattr(keeping, "begun", real)
            act()
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping, "begun", begun)


def test_an_answer_to_what_another_tab_scores_just_now_begins_anew_and_is_kept(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.give("phq2", {1: 0, 2: 0})
    with asking.sessions.begin() as session:
        tab = Tab(session, asking)
        before_the_lock(monkeypatch, tab.score)

        row = tab.say("another tab", {1: 3})

        assert (row.form_key, row.given) == ("another tab", {1: 3})
    assert [row.given for row in asking.kept()] == [{1: 0, 2: 0}]


def test_an_answer_that_waited_while_its_own_page_was_scored_leads_to_the_score(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.give("phq2", {1: 0, 2: 0})
    with asking.sessions.begin() as session:
        tab = Tab(session, asking)
        before_the_lock(monkeypatch, tab.score)

        with pytest.raises(KeptAlready) as kept:
            tab.say("page", {1: 3})

        assert kept.value.form_key == "page"
    assert asking.begun() == []
    assert [row.given for row in asking.kept()] == [{1: 0, 2: 0}]


def test_whoever_scores_a_moment_too_late_gets_the_score_of_the_first(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.give("phq2", {1: 0, 2: 1})
    with asking.sessions.begin() as session:
        tab = Tab(session, asking)
        before_the_lock(monkeypatch, tab.score)

        tab.score()

    assert [row.given for row in asking.kept()] == [{1: 0, 2: 1}]


def test_a_saved_call_scores_what_stands_there_when_it_has_the_lock(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.give("phq2", {1: 0})
    with asking.sessions.begin() as session:
        tab = Tab(session, asking)
        before_the_lock(monkeypatch, lambda: tab.say("page", {2: 1}))

        scored = item_by_item.finish_whole(session, tab.patient, actor=tab.actor, now=NOW)

        assert [row.given for row in scored] == [{1: 0, 2: 1}]


def test_no_call_fails_because_somebody_else_has_the_key_of_its_questionnaire(
    asking: Asking,
) -> None:
    asking.give("phq2", {1: 3, 2: 3})
    asking.finish("phq2")
    with asking.sessions.begin() as session:
        other = make_patient(session, asking.day.clinic)
        session.execute(update(Questionnaire).values(patient_id=other.id))
    asking.give("phq2", {1: 0, 2: 1})

    saved = asking.client.post(asking.call, data=asking.day.form(**TALKED))

    assert saved.status_code == 302
    assert asking.begun() == []
    theirs, ours = asking.kept()
    assert (theirs.given, ours.given) == ({1: 3, 2: 3}, {1: 0, 2: 1})
    assert ours.patient_id == asking.day.rosa.id
