"""The form of the monthly question."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectChoice
from wtforms.validators import InputRequired

from outreach.pulse.labels import ANSWER_WORDS, QUESTION


class AnswerForm(FlaskForm):
    """One of five answers, in order, to the question of the month that was on the page."""

    month = HiddenField()

    answer = RadioField(
        QUESTION,
        choices=[SelectChoice(str(each), words) for each, words in ANSWER_WORDS.items()],
        validators=[InputRequired()],
    )
