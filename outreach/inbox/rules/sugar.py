"""A blood sugar in a text: taken only where it can mean one thing. Pure.

What is not clear may still be alarming: ``Unclear`` keeps every value that was possibly meant,
so that the ladder can be asked about each.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from outreach.inbox.rules.words import plain
from outreach.measures.rules import METER_SHOWS, REGISTRY, Bound, MeasureKind

MG_DL, MMOL_L = "mg/dL", "mmol/L"
# Nobody's meter shows these in the other unit; between them a number alone says nothing.
_MG_DL_FROM, _MG_DL_TO = Decimal(41), Decimal(600)
_MMOL_L_FROM, _MMOL_L_BELOW = Decimal("1.5"), Decimal(25)

_NUMBER = re.compile(r"(?<![\w.,])(\d{1,4})(?:[.,](\d{1,2}))?(?![\w]|[.,]\d)")
_UNIT = re.compile(r"\b(mg ?/ ?dl|mgdl|mg|mmol ?/ ?l|mmol|mmoll)\b")
_TIME = re.compile(
    r"\b(?:at|a las|a la|as|around|about) \d{1,2}(?::\d\d)?(?: ?[ap]\.?m\b\.?)?"
    r"|\b\d{1,2}(?::\d\d) ?(?:[ap]\.?m\b\.?)?|\b\d{1,2} ?[ap]\.?m\b\.?"
)
_NAMED = re.compile(
    r"\b(?:sugar|sugars|bs|bg|glucose|blood sugar|glucosa|azucar|azucares|glicemia|glucemia|acucar|glicose|asucar|azuca|glucos|glicosa|suger)\b"
)
_METER = re.compile(r"\b(hi|lo)\b")
_EARLIER = re.compile(r"\b(?:yesterday|last night|ayer|anoche|ontem)\b")
_THIS_MORNING = re.compile(
    r"\b(?:this morning|morning|am|esta manana|manana|hoje de manha|manha|fasting|en ayunas|em jejum)\b"
)
_FILLER = frozenset(
    """my is was it its it's the a at of to in on i had have got me this today now just level
    reading number test tested check checked meter says said shows blood morning afternoon evening
    noon night tonight before after breakfast lunch dinner eating meal fasting hi hello good and
    sugar sugars suger bs bg glucose
    mi mis el la es fue esta estaba era hoy ahora en de del las los un una azucar azucares asucar azuca glucosa glucemia amaneci amanecio con marco
    glicemia sangre nivel lectura manana tarde noche antes despues desayuno almuerzo cena comer
    ayunas buenos buenas dias hola tengo tuve sali salio medidor dice
    meu minha o os ao foi estava hoje agora em da do dos das acucar glicose glicosa ta tava marcou sangue medida manha
    noite depois cafe almoco jantar jejum bom boa dia ola deu medi deu""".split()
)


@dataclass(frozen=True)
class Sugar:
    """A value that can mean one thing. ``is_named``: the text says that it is blood sugar.

    ``is_this_morning``: measured earlier today, at a time that isn't told.
    """

    value: Decimal
    unit: str
    is_named: bool
    bound: Bound | None = None
    is_this_morning: bool = False


@dataclass(frozen=True)
class Unclear:
    """Something about blood sugar that can mean several things: (value, unit) of each."""

    maybe: tuple[tuple[Decimal, str], ...]
    is_named: bool


def sugar_in(text: str, clinic_unit: str) -> Sugar | Unclear | None:
    """Return the blood sugar in a text, what it may mean, or None where it holds none.

    Args:
        text: as it came.
        clinic_unit: 'mg/dL' or 'mmol/L'; decides nothing that the range does not allow.
    """
    said = plain(text)
    is_named = _NAMED.search(said) is not None
    unit = _unit_in(said)
    bare = _TIME.sub(" ", _UNIT.sub(" ", said))
    numbers = [_decimal(match) for match in _NUMBER.finditer(bare)]
    rest = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?|[%/°$#€+*-]", _NUMBER.sub(" ", bare))
    is_plain = all(word in _FILLER for word in rest)
    if is_named and not numbers:
        return _from_meter(said, rest)
    if not numbers or not (is_named or (is_plain and len(numbers) == 1)):
        return None
    if len(numbers) == 1 and is_plain and not _EARLIER.search(said):
        chosen = unit or _unit_of(numbers[0], clinic_unit)
        if chosen and REGISTRY[MeasureKind.GLUCOSE].is_possible(numbers[0], chosen):
            is_morning = _THIS_MORNING.search(said) is not None
            return Sugar(numbers[0], chosen, is_named or bool(unit), is_this_morning=is_morning)
    if not is_named and unit is None and not _might_be_sugar(numbers[0]):
        return None
    return Unclear(_possible(numbers, unit), is_named or bool(unit))


def _from_meter(said: str, rest: list[str]) -> Sugar | None:
    """Return HI or LO of a meter; 'hi' in a greeting is none, so nothing else may be said."""
    found = set(_METER.findall(said))
    others = [word for word in rest if word not in {"hi", "lo"} and word not in _FILLER]
    greets = re.match(r"\s*hi\b", said) is not None
    if len(found) != 1 or others or greets:
        return None
    bound = Bound.HIGH if found == {"hi"} else Bound.LOW
    return Sugar(METER_SHOWS[bound], MG_DL, is_named=True, bound=bound)


def _unit_in(said: str) -> str | None:
    match = _UNIT.search(said)
    if match is None:
        return None
    return MMOL_L if match.group().startswith("mmol") else MG_DL


def _unit_of(value: Decimal, clinic_unit: str) -> str | None:
    """Return the only unit in which ``value`` makes sense, or None.

    A small whole number is mmol/L only where the clinic measures so: elsewhere it may be a
    number of something else, or a dangerous low.
    """
    is_whole = value == value.to_integral_value()
    if _MG_DL_FROM <= value <= _MG_DL_TO and is_whole:
        return MG_DL
    if _MMOL_L_FROM <= value < _MMOL_L_BELOW and (not is_whole or clinic_unit == MMOL_L):
        return MMOL_L
    return None


def _might_be_sugar(value: Decimal) -> bool:
    return value >= _MG_DL_FROM - 21 and value <= _MG_DL_TO + 400


def _possible(numbers: list[Decimal], unit: str | None) -> tuple[tuple[Decimal, str], ...]:
    measure = REGISTRY[MeasureKind.GLUCOSE]
    units = (unit,) if unit else (MG_DL, MMOL_L)
    return tuple(
        (value, each) for value in numbers for each in units if measure.is_possible(value, each)
    )


def _decimal(match: re.Match[str]) -> Decimal:
    whole, part = match.groups()
    return Decimal(f"{whole}.{part}") if part else Decimal(whole)
