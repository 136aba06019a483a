"""What goals are about, and how they end. Pure."""

import enum

LONGEST_GOAL = 300  # characters
LONGEST_NEWS = 500


class GoalArea(enum.StrEnum):
    """What a goal is about. Source: domain.md A1, the trial's registry; OWN is the patient's."""

    NUTRITION = "nutrition"
    EXERCISE = "exercise"
    SLEEP = "sleep"
    MEDICATION = "medication"
    OWN = "own"


class GoalEnding(enum.StrEnum):
    """How a goal ended. LET_GO is no failure: people change their minds."""

    REACHED = "reached"
    LET_GO = "let_go"
