"""Forms of goals: a new one, and one that ends."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectChoice, SelectField, StringField
from wtforms.validators import AnyOf, InputRequired, Length

from outreach.goals.labels import AREA_WORDS
from outreach.goals.rules import LONGEST_GOAL, GoalArea, GoalEnding

STILL_OPEN = "still_open"


class GoalForm(FlaskForm):
    """What a patient wants."""

    area = SelectField(
        _l("About"), choices=[SelectChoice(each.value, AREA_WORDS[each]) for each in GoalArea]
    )
    text = StringField(
        _l("What they want, in their words"), validators=[InputRequired(), Length(max=LONGEST_GOAL)]
    )


class EndingForm(FlaskForm):
    """How a goal ended, or that it has not; each button of the page names one way."""

    ending = HiddenField(
        validators=[InputRequired(), AnyOf([STILL_OPEN, *(each.value for each in GoalEnding)])]
    )
