"""A questionnaire asked on the call screen: every answer kept as it is given, scored at the end."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.concerns.models import ConcernStep
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.questionnaires.rules import Gap, Skip
from tests.conftest import sign_in
from tests.fakes import FakeClock
from tests.integration.calls.asked import SCRIPT, Asking, at_hand

# What saves a conversation on the call screen.
TALKED = {"reached": "yes", "outcome": "reached_completed", "note": "We talked.", "minutes": "9"}


def test_without_scripts_the_call_page_shows_one_question_after_the_other(asking: Asking) -> None:
    opened = asking.client.get(f"{asking.call}?ask=phq2")
    assert at_hand(opened.text) == "1"
    assert 'name="note"' in opened.text

    data = {"form_key": "page", "item_1": "2"}
    answer = asking.client.post(f"{asking.call}/ask/phq2", data=data)
    assert answer.location == f"{asking.call}?ask=phq2#asked"
    assert at_hand(asking.client.get(answer.location).text) == "2"
    assert at_hand(asking.client.get(f"{asking.call}?ask=phq2&item=1").text) == "1"

    asking.client.post(f"{asking.call}/ask/phq2", data={"form_key": "page", "item_2": "0"})
    assert at_hand(asking.client.get(answer.location).text) == "end"
    done = asking.client.post(f"{asking.call}/ask/phq2/finish", data={"form_key": "page"})
    assert done.location == f"{asking.call}?ask=phq2&done=page#asked"
    assert 'fs-3">2<' in asking.client.get(done.location).text


def test_answers_are_kept_one_by_one_and_asking_goes_on_at_the_first_open_one(
    asking: Asking,
) -> None:
    asking.give("phq9", {1: 1, 3: 2})

    assert [row.given for row in asking.begun()] == [{1: 1, 3: 2}]
    assert at_hand(asking.client.get(f"{asking.call}?ask=phq9").text) == "2"
    assert "2 of 9 asked" in asking.client.get(asking.call).text


def test_two_tabs_put_their_answers_together_and_learn_the_common_key(asking: Asking) -> None:
    asking.give("gad7", {1: 1})

    other = asking.press("gad7", form_key="another tab", item_2="3")

    assert other.json == {"form_key": "page", "is_urgent": False}
    assert [row.given for row in asking.begun()] == [{1: 1, 2: 3}]


def test_an_answer_that_arrives_after_the_score_leads_to_it(asking: Asking) -> None:
    asking.give("phq2", {1: 0, 2: 0})
    asking.finish("phq2")

    late = asking.press("phq2", item_1="3")

    assert (late.status_code, late.json) == (409, {"done": "page", "is_urgent": False})
    assert [row.given for row in asking.kept()] == [{1: 0, 2: 0}]
    assert asking.begun() == []


@pytest.mark.parametrize("headers", [SCRIPT, {}], ids=["script", "no script"])
def test_a_thought_of_self_harm_said_after_the_score_tells_a_nurse_once_and_the_caller(
    asking: Asking, headers: dict[str, str]
) -> None:
    asking.give("phq9", dict.fromkeys(range(1, 10), 0))
    asking.finish("phq9")
    assert asking.concerns() == []

    for _time in range(2):
        data = {"form_key": "page", "item_9": "1"}
        late = asking.client.post(f"{asking.call}/ask/phq9", data=data, headers=headers)

    assert asking.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]
    with asking.sessions() as session:
        (note,) = session.scalars(select(ConcernStep.note))
        assert note == "PHQ-9: 1, minimal. Item 9: 1 of 3. Said after it was scored."
    if headers:
        assert late.json == {"done": "page", "is_urgent": True}
    page = asking.client.get(f"{asking.call}?ask=phq9&done=page").text
    assert "Stay on the line." in page
    assert "988" in page


def test_a_late_answer_tells_nobody_twice_of_what_the_score_told(asking: Asking) -> None:
    asking.give("phq9", dict.fromkeys(range(1, 10), 1))
    asking.finish("phq9")

    late = asking.press("phq9", item_9="2")

    assert late.json == {"done": "page", "is_urgent": True}
    assert asking.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]


def test_the_score_and_its_band_stand_there_and_are_kept_once(asking: Asking) -> None:
    asking.give("phq9", dict.fromkeys(range(1, 9), 1) | {9: 0})

    pages = [asking.finish("phq9") for _time in range(2)]

    assert all('fs-3">8<' in page and "mild" in page for page in pages)
    assert [row.score for row in asking.kept()] == [Decimal(8)]
    with asking.sessions() as session:
        assert [reading.value for reading in session.scalars(select(Reading))] == [Decimal(8)]


def test_a_thought_of_self_harm_tells_a_nurse_with_the_answer_and_once(asking: Asking) -> None:
    told = asking.press("phq9", item_9="1")
    assert told.json == {"form_key": "page", "is_urgent": True}
    assert asking.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]
    asking.press("phq9", item_9="2")
    page = asking.client.get(f"{asking.call}?ask=phq9").text
    assert re.search(r'data-asking-danger="9">', page)
    assert "988" in page

    asking.give("phq9", dict.fromkeys(range(1, 9), 0))
    asking.finish("phq9")

    assert asking.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]


def test_a_skipped_item_keeps_why_and_is_missing_never_0(asking: Asking) -> None:
    asking.give("phq9", dict.fromkeys(range(1, 8), 1))
    asking.press("phq9", skip_8="declined")
    asking.press("phq9", skip_9="unsure")

    page = asking.finish("phq9")

    (kept,) = asking.kept()
    assert kept.why_skipped == {8: Skip.DECLINED, 9: Skip.UNSURE}
    assert (kept.score, kept.gap) == (None, Gap.SAFETY_ITEM_MISSING)
    assert "Not assessed" in page


def test_an_answer_takes_a_skip_back_and_a_skip_an_answer(asking: Asking) -> None:
    asking.press("phq2", skip_1="declined")
    asking.press("phq2", item_1="3")
    asking.press("phq2", item_2="1")
    asking.press("phq2", skip_2="declined")

    (row,) = asking.begun()

    assert (row.given, row.why_skipped) == ({1: 3}, {2: Skip.DECLINED})


def test_who_wants_no_more_questions_is_asked_none(asking: Asking) -> None:
    asking.give("gad7", {1: 2})
    asking.press("gad7", rest="declined")

    (row,) = asking.begun()

    assert row.given == {1: 2}
    assert row.why_skipped == dict.fromkeys(range(2, 8), Skip.DECLINED)


@pytest.mark.parametrize(
    "pressed",
    [{}, {"item_1": "4"}, {"item_1": "x"}, {"skip_1": "bored"}, {"rest": "bored"},
     {"form_key": "", "item_1": "1"}, {"form_key": "k" * 41, "item_1": "1"}],
)  # fmt: skip
def test_what_no_button_says_is_refused(asking: Asking, pressed: dict[str, str]) -> None:
    assert asking.press("phq9", **pressed).status_code == 422
    assert asking.begun() == []


def test_nothing_is_scored_where_nothing_was_answered(asking: Asking) -> None:
    path = f"{asking.call}/ask/phq9/finish"

    assert asking.client.post(path, data={"form_key": "page"}).status_code == 409
    assert asking.kept() == []


def test_a_positive_phq_2_goes_on_to_the_phq_9_with_its_answers(asking: Asking) -> None:
    asking.give("phq2", {1: 2, 2: 1})
    assert "after=page" in asking.finish("phq2")

    opened = asking.client.get(f"{asking.call}?ask=phq9&after=page").text
    assert at_hand(opened) == "3"
    asking.press("phq9", form_key="whole", after="page", item_3="1")

    (row,) = asking.begun()
    assert row.given == {1: 2, 2: 1, 3: 1}


def test_a_saved_call_scores_what_was_asked_to_its_end_and_leaves_the_rest_begun(
    asking: Asking,
) -> None:
    asking.give("phq2", {1: 0, 2: 1})
    asking.press("gad7", form_key="other", item_1="1")

    saved = asking.client.post(asking.call, data=asking.day.form(**TALKED))

    assert saved.status_code == 302

    assert [row.score for row in asking.kept()] == [Decimal(1)]
    assert [row.given for row in asking.begun()] == [{1: 1}]


def test_what_was_begun_long_ago_is_kept_as_it_stood_when_it_is_asked_anew(
    asking: Asking, clock: FakeClock
) -> None:
    asking.give("phq9", {1: 3, 2: 2})
    clock.advance(timedelta(hours=24, seconds=1))
    with asking.sessions() as session:
        ana = session.get_one(StaffMember, asking.day.ana.id)
    sign_in(asking.client, ana)

    asking.press("phq9", form_key="next day", item_1="0")

    (old,), (new,) = asking.kept(), asking.begun()
    assert (old.given, old.form_key) == ({1: 3, 2: 2}, "page")
    assert old.at == clock() - timedelta(hours=24, seconds=1)
    assert (new.given, new.form_key) == ({1: 0}, "next day")
    assert asking.concerns() == []


@pytest.mark.parametrize("words", ["ask=nonsense", "ask=phq9&done=nonsense", "ask=dds17"])
def test_an_address_that_asks_what_is_not_there_still_shows_the_call(
    asking: Asking, words: str
) -> None:
    page = asking.client.get(f"{asking.call}?{words}")

    assert page.status_code == 200
    assert 'name="note"' in page.text
    assert "data-asking=" not in page.text


def test_questionnaires_that_may_not_be_asked_do_not_exist(asking: Asking) -> None:
    assert asking.press("dds17", item_1="1").status_code == 404
    assert asking.press("nonsense", item_1="1").status_code == 404


def test_the_panel_says_what_a_reload_needs_to_go_on(asking: Asking) -> None:
    asking.give("phq2", {1: 2, 2: 1})
    asking.press("phq9", form_key="common", item_3="1")

    result = asking.finish("phq9", form_key="of a tab that pressed nothing")
    assert 'data-form-key="common"' in result

    asking.finish("phq2")
    path = f"{asking.call}/ask/phq9?after=page"
    assert 'data-after="page"' in asking.client.get(path, headers=SCRIPT).text


def test_what_is_refused_without_scripts_leads_back_to_the_call(asking: Asking) -> None:
    data = {"form_key": "page", "item_1": "4"}

    answer = asking.client.post(f"{asking.call}/ask/phq9", data=data)

    assert answer.location == f"{asking.call}?ask=phq9#asked"
    assert "That answer was not saved." in asking.client.get(answer.location).text
    assert asking.begun() == []


def test_after_the_nine_it_is_asked_how_difficult_they_make_life(asking: Asking) -> None:
    asking.give("phq9", {**dict.fromkeys(range(1, 9), 2), 9: 0})
    page = asking.client.get(f"{asking.call}?ask=phq9").text
    assert at_hand(page) == "10"
    assert "take care of things at home" in page
    assert "9 of 9 asked" in page

    asking.give("phq9", {10: 2})
    page = asking.client.get(f"{asking.call}?ask=phq9").text
    assert at_hand(page) == "end"
    assert "9 of 9 asked" in page
    result = asking.finish("phq9")

    (kept,) = asking.kept()
    assert (kept.score, kept.given[10]) == (Decimal(16), 2)
    assert "Very difficult" in result
    with asking.sessions() as session:
        told = session.scalars(select(ConcernStep.note)).one()
    assert told == "PHQ-9: 16, moderately severe. Item 9: 0 of 3. Daily life: very difficult."


def test_whoever_has_no_problem_is_not_asked_how_difficult_it_is(asking: Asking) -> None:
    asking.give("phq9", dict.fromkeys(range(1, 10), 0))

    assert at_hand(asking.client.get(f"{asking.call}?ask=phq9").text) == "end"
    assert at_hand(asking.client.get(f"{asking.call}?ask=phq9&item=10").text) == "end"
    assert "How difficult" not in asking.finish("phq9")


def test_the_nine_are_scored_with_the_call_where_the_last_question_was_not_asked(
    asking: Asking,
) -> None:
    asking.give("phq9", {**dict.fromkeys(range(1, 9), 1), 9: 0})

    asking.client.post(asking.call, data=asking.day.form(**TALKED))

    assert [(each.score, 10 in each.given) for each in asking.kept()] == [(Decimal(8), False)]


def test_no_more_of_these_questions_leaves_out_what_was_not_to_be_asked(asking: Asking) -> None:
    asking.give("phq9", {1: 0})
    asking.press("phq9", rest="declined")

    (row,) = asking.begun()
    assert sorted(row.why_skipped) == list(range(2, 10))
