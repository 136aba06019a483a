"""Goals of the people of the demo: in their own words, with how they went. All made up."""

from random import Random

from outreach.goals.models import Goal, GoalNews
from outreach.goals.rules import GoalArea, GoalEnding
from scripts.demo.people import chance
from scripts.demo.record import House
from scripts.demo.record_calls import Chronicle
from scripts.demo.story import Dial

# (area, goal, how it went, as told on later calls)
_GOALS = (
    (GoalArea.EXERCISE, "Walk to the park and back every evening",
     ("Three evenings this week, two of them in the rain.", "Every evening but Sunday.")),
    (GoalArea.NUTRITION, "Soda only on Sundays",
     ("One soda at a birthday; otherwise water.", "Two weeks without, and it tastes too sweet.")),
    (GoalArea.SLEEP, "In bed with the television off by eleven",
     ("Half of the nights.", "Sleeps through now, up at six.")),
    (GoalArea.MEDICATION, "Take the evening pills right after brushing teeth",
     ("Forgot once, at the sister's.", "The box is empty every Sunday, as it should be.")),
    (GoalArea.OWN, "Dance at the granddaughter's wedding in spring",
     ("Practised in the kitchen.", "Bought the shoes.")),
)  # fmt: skip


def write(house: House, chronicle: Chronicle) -> None:
    """Add one or two goals, set on the first conversation, and what was told of them since."""
    talks = [
        dial
        for call in chronicle.story.calls
        for dial in call.dials
        if dial.outcome.completes and dial in chronicle.attempt_ids
    ]
    if not talks:
        return
    rng = Random(f"goals/{chronicle.person.number}")
    for chosen in rng.sample(_GOALS, rng.choice((1, 1, 2))):
        _goal(house, chronicle, rng, chosen, talks)


def _goal(
    house: House,
    chronicle: Chronicle,
    rng: Random,
    chosen: tuple[GoalArea, str, tuple[str, ...]],
    talks: list[Dial],
) -> None:
    area, text, told = chosen
    first, later = talks[0], talks[1:]
    is_over = len(later) > len(told) and chance(rng, 0.25)
    ended = later[-1] if is_over else None
    goal_id = house.rows.add(
        Goal,
        **chronicle.ids.owned,
        area=area,
        text=text,
        set_at=first.over_at,
        set_by_id=house.staff_id(first.caller),
        ended_at=ended.over_at if ended else None,
        ended_by_id=house.staff_id(ended.caller) if ended else None,
        ending=rng.choice(tuple(GoalEnding)) if ended else None,
    )
    told_on = sorted(rng.sample(later, min(len(later), len(told))), key=lambda each: each.at)
    for dial, words in zip(told_on, told, strict=False):
        house.rows.add(
            GoalNews,
            **chronicle.ids.owned,
            goal_id=goal_id,
            attempt_id=chronicle.attempt_ids[dial],
            by_staff_id=house.staff_id(dial.caller),
            text=words,
            at=dial.over_at,
        )
