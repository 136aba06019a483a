"""The words of goals."""

from flask_babel import lazy_gettext as _l

from outreach.goals.rules import GoalArea, GoalEnding

AREA_WORDS = {
    GoalArea.NUTRITION: _l("Food"),
    GoalArea.EXERCISE: _l("Moving"),
    GoalArea.SLEEP: _l("Sleep"),
    GoalArea.MEDICATION: _l("Medication"),
    GoalArea.OWN: _l("Their own"),
}
ENDING_WORDS = {
    GoalEnding.REACHED: _l("Reached"),
    GoalEnding.LET_GO: _l("Let go"),
}
