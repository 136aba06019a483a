"""Numbers as they are typed: as many digits as people write, and no power of ten."""

from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from outreach.web.number_fields import DecimalField, WholeField


def typed_into(sent: dict[str, str], **stood: object) -> BaseForm:
    form = BaseForm({"whole": WholeField(), "part": DecimalField(places=None)})
    form.process(MultiDict(sent), data=stood)
    return form


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("132", "132"), (" 7.4 ", "7.4"), ("+5", "5"), ("-0.5", "-0.5"), (".5", "0.5"), ("5.", "5")],
)
def test_what_people_write_is_read(typed: str, meant: str) -> None:
    form = typed_into({"whole": "12", "part": typed})

    assert form.validate()
    assert (form["whole"].data, form["part"].data) == (12, Decimal(meant))


# Written out, the first has as many digits as there is memory for.
POWERS = ["1e-999999999", "1e999999999", "1E5", "9" * 400, "0." + "1" * 400]


@pytest.mark.parametrize("typed", [*POWERS, "sNaN", "NaN", "Infinity", "1_000", "0x1F", "--1", ""])
def test_what_nobody_writes_is_no_number(typed: str) -> None:
    form = typed_into({"whole": typed, "part": typed})

    assert not form.validate()
    assert (form["whole"].data, form["part"].data) == (None, None)
    assert form.errors.keys() == {"whole", "part"}


def test_what_was_not_sent_keeps_what_stood_there() -> None:
    form = typed_into({}, whole=3, part=Decimal("1.5"))

    assert (form["whole"].data, form["part"].data) == (3, Decimal("1.5"))
