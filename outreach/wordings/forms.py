"""The form for the words of a text."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length

from outreach.web.bounded import whole
from outreach.wordings.keeping import Words

_LONGEST = 1000


class WordsForm(FlaskForm):
    """The words, and the version the writer had before them."""

    body = TextAreaField(
        _l("Words"),
        validators=[
            InputRequired(_l("Enter the words of the text.")),
            Length(max=_LONGEST, message=_l("Too long for a text.")),
        ],
    )
    seen = HiddenField()

    @classmethod
    def of(cls, words: Words) -> "WordsForm":
        """Return the form with the words that count now."""
        return cls(data={"body": words.body, "seen": str(words.number)})

    @property
    def written(self) -> str:
        """The words as typed, on one line: a text has no lines to lay out."""
        return " ".join((self.body.data or "").split())

    @property
    def seen_number(self) -> int:
        """The version that the writer had before them; -1 where it can't be read."""
        number = whole(self.seen.data)
        return -1 if number is None else number
