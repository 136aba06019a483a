"""Fields of numbers as people type them: digits, as many as anybody writes, and no power of ten.

Python reads more: 1e-999999999, whose digits fill all memory once it is shown again, or a number
too large to be compared. Whoever can type a number could end the server with it.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from flask_babel import gettext as _
from wtforms import DecimalField as AnyDecimalField  # noqa: TID251 - the one place
from wtforms import IntegerField as AnyIntegerField  # noqa: TID251

_WHOLE = re.compile(r"[+-]?[0-9]{1,10}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")


class WholeField(AnyIntegerField):
    """A whole number."""

    data: Any  # an int once validated
    written: ClassVar[re.Pattern[str]] = _WHOLE

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the number, or say what is wanted; anything else stays as it was typed."""
        if not valuelist:
            return
        text = valuelist[0].strip()
        if not self.written.fullmatch(text):
            self.data = None
            raise ValueError(_("Write a whole number."))
        self.data = int(text)


class DecimalField(AnyDecimalField):
    """A number, with a point where it has a part."""

    data: Any  # a Decimal once validated

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the number, or say what is wanted; anything else stays as it was typed."""
        if not valuelist:
            return
        text = valuelist[0].strip()
        if not _DECIMAL.fullmatch(text):
            self.data = None
            raise ValueError(_("Write a number."))
        super().process_formdata([text])
