"""Forms of what callers read aloud: the words for danger, and the low-sugar card."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, StringField, SubmitField, TelField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from outreach.concerns.cards import Card
from outreach.concerns.forms import MOST_WORDS
from outreach.concerns.labels import card_fault_words
from outreach.concerns.low_sugar import NewCard, ReadAloud
from outreach.concerns.rules import faults
from outreach.concerns.rules.low_sugar import lines_of
from outreach.web.bounded import whole


class CardForm(FlaskForm):
    """The numbers and words of a clinic for when somebody is in danger, in one language."""

    emergency = TelField(
        _l("Emergency number"),
        validators=[DataRequired(_l("Write the number.")), Length(max=40)],
    )
    lifeline = TelField(
        _l("Crisis line"), validators=[DataRequired(_l("Write the number.")), Length(max=40)]
    )
    lifeline_hint = StringField(_l("How the crisis line is reached"), validators=[Length(max=200)])
    say = TextAreaField(
        _l("What to say, a line each"),
        validators=[DataRequired(_l("Write what to say.")), MOST_WORDS],
    )

    @classmethod
    def of(cls, card: Card) -> "CardForm":
        """Return the form with the card as it is."""
        return cls(data={**vars(card), "say": "\n".join(card.say)})

    def to_card(self) -> Card:
        """Return what was typed."""
        lines = [line.strip() for line in (self.say.data or "").splitlines()]
        return Card(
            self.emergency.data or "",
            self.lifeline.data or "",
            self.lifeline_hint.data or "",
            tuple(line for line in lines if line),
        )


class LowSugarForm(FlaskForm):
    """What is read aloud with a low blood sugar, in one language, and who approved it.

    ``seen`` is the number of the version that stood on the page.
    """

    seen = HiddenField(default="0")
    say = TextAreaField(_l("What to read aloud, a line each"), validators=[MOST_WORDS])
    approved_by = StringField(
        _l("Medical lead who approved it"),
        validators=[DataRequired(_l("Write who approved it.")), Length(max=120)],
    )
    approved_on = DateField(
        _l("Approved on"), validators=[InputRequired(_l("Choose the day of the approval."))]
    )
    look = SubmitField(_l("Look at it"))
    keep = SubmitField(_l("Read this from now on"))

    @classmethod
    def of(cls, card: ReadAloud) -> "LowSugarForm":
        """Return the form with the words that count now; who approves new ones is asked anew."""
        return cls(data={"seen": str(card.number), "say": "\n".join(card.say)})

    @property
    def lines(self) -> tuple[str, ...]:
        """What was typed, as it is read."""
        return lines_of(self.say.data or "")

    def is_readable(self) -> bool:
        """Say whether the words can be read aloud; what is wrong stands beside them."""
        found = [card_fault_words(each) for each in faults(self.say.data or "")]
        self.say.errors = [*self.say.errors, *found]
        return not found

    def is_possible(self, today: date) -> bool:
        """Say whether it can be kept on the clinic's ``today``."""
        is_whole = self.validate()
        if self.approved_on.data is not None and self.approved_on.data > today:
            self.approved_on.errors = [*self.approved_on.errors, _("That day is still to come.")]
            is_whole = False
        return self.is_readable() and is_whole

    def to_card(self) -> NewCard:
        """Return what was typed."""
        if self.approved_on.data is None:
            raise ValueError("validated before")
        return NewCard(
            self.say.data or "",
            self.approved_by.data or "",
            self.approved_on.data,
            whole(self.seen.data) or 0,
        )
