"""Forms of a patient's page: the register's search, the rhythm of calls, the status."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SearchField, SelectChoice, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from outreach.chart import labels
from outreach.chart.register import FARTHEST_PAGE, Search
from outreach.chart.rules import Show, next_statuses
from outreach.programmes.rules import EnrolmentStatus, Phase


class SearchForm(FlaskForm):
    """What to look for in the register. Posted: names don't belong into addresses."""

    text = SearchField(_l("Name or record number"), validators=[Length(max=120)])
    show = SelectField(
        _l("Show"), choices=[SelectChoice(show.value, labels.SHOWN[show]) for show in Show]
    )

    def to_search(self, page: int | None) -> Search:
        """Return what was asked for; ``page`` counts from 1, None is the first one."""
        known = {show.value for show in Show}
        show = Show(self.show.data) if self.show.data in known else Show.ALL
        return Search((self.text.data or "").strip()[:120], show, min(page or 1, FARTHEST_PAGE))


class RhythmForm(FlaskForm):
    """How often the patient wants to be called in one phase."""

    value = RadioField(
        _l("How often"), coerce=int, validators=[InputRequired(_l("Choose how often."))]
    )

    @classmethod
    def of(cls, phase: Phase, current: int) -> "RhythmForm":
        """Return the form with what ``phase`` offers, ``current`` ticked."""
        form = cls(data={"value": current})
        form.value.choices = [
            SelectChoice(value, labels.rhythm(phase, value)) for value in phase.choices
        ]
        return form


class StatusForm(FlaskForm):
    """Pausing, resuming and leaving the programme. ``seen`` is what was on the page."""

    seen = HiddenField()
    status = RadioField(_l("What changes"), validators=[InputRequired(_l("Choose what changes."))])
    reason = TextAreaField(
        _l("Reason"), validators=[InputRequired(_l("Write the reason.")), Length(max=200)]
    )

    @classmethod
    def of(cls, current: EnrolmentStatus) -> "StatusForm":
        """Return the form with the steps that lead on from ``current``."""
        form = cls(data={"seen": current.value})
        form.status.choices = [
            SelectChoice(status.value, labels.STATUS_STEPS[status])
            for status in next_statuses(current)
        ]
        return form

    def seen_status(self, current: EnrolmentStatus) -> EnrolmentStatus:
        """Return the status that was on the page; ``current`` where that makes no sense."""
        known = {status.value for status in EnrolmentStatus}
        return EnrolmentStatus(self.seen.data) if self.seen.data in known else current
