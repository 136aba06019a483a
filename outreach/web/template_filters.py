"""How instants, days and numbers are written on pages."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache, partial
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime as babel_format
from babel.dates import format_time
from flask import Flask, has_request_context
from flask_babel import Domain, format_decimal, get_babel, get_locale, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Macro
from markupsafe import Markup

from outreach.web import phones
from outreach.web.rendering import escaped


def local_time(instant: datetime, zone: ZoneInfo | str) -> str:
    """Return the wall-clock time in ``zone``: '3:10 PM'."""
    return _local(instant, zone, "h:mm a")


def clock_time(at: time) -> str:
    """Return a time of the day, on whatever clock is meant: '9:00 AM'."""
    return format_time(at, "short", locale=get_locale()).replace("\u202f", "\u00a0")


def local_moment(instant: datetime, zone: ZoneInfo | str) -> str:
    """Return weekday, day and time in ``zone``: 'Tue, Nov 24, 3:10 PM'."""
    return _local(instant, zone, "EEE, MMM d, h:mm a")


def local_weekday_time(instant: datetime, zone: ZoneInfo | str) -> str:
    """Return weekday and time in ``zone``: 'Tue 3:10 PM'."""
    return _local(instant, zone, "EEE h:mm a")


def local_weekday(instant: datetime, zone: ZoneInfo | str) -> str:
    """Return the weekday in ``zone``: 'Tue'."""
    return _local(instant, zone, "EEE")


def wall_time(at: time) -> str:
    """Return a time of the wall clock: '3 PM', '3:30 PM'."""
    pattern = "h:mm a" if at.minute else "h a"
    return _formatted(datetime.combine(date.min, at), pattern, _language())


def calendar_day(day: date | None) -> str:
    """Return 'Tue, Nov 24', with the year only where it is not the common case."""
    return _formatted_day(day, "EEE, MMM d") if day else ""


def month_name(day: date) -> str:
    """Return the month of a day: 'November 2026'."""
    return _formatted_day(day, "LLLL y")


def full_day(day: date | None) -> str:
    """Return 'Nov 24, 2026'."""
    return _formatted_day(day, "MMM d, y") if day else ""


def short_number(value: float | None, decimals: int = 1) -> str:
    """Return a number with at most ``decimals`` decimals, by locale; a dash where missing."""
    if value is None:
        return "–"
    return format_decimal(value, format="#,##0." + "#" * decimals if decimals else "#,##0")


def percent(numerator: int, denominator: int) -> str:
    """Return a rate as '73%'; a dash where there is nothing to divide by."""
    return f"{100 * numerator / denominator:.0f}%" if denominator else "–"


def ago(instant: datetime, now: datetime) -> str:
    """Return how long ago: 'just now', '12 min ago', '3 h ago', '5 days ago'."""
    passed = now - instant
    if passed < timedelta(minutes=1):
        return _("just now")
    if passed < timedelta(hours=1):
        return _("%(n)s min ago", n=int(passed.total_seconds() // 60))
    if passed < timedelta(days=1):
        return _("%(n)s h ago", n=int(passed.total_seconds() // 3600))
    return _("%(n)s days ago", n=passed.days) if passed.days > 1 else _("yesterday")


def language_name(code: str) -> str:
    """Return a language's name in the reader's own: 'es' becomes 'Spanish'."""
    known = get_locale() or Locale("en")
    return known.languages.get(code.replace("-", "_"), code)


def place(zone: str) -> str:
    """Return the city that a zone is named after: 'Chicago'."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")


@pass_eval_context
def once_each(page: EvalContext, macro: Macro) -> Callable[..., str]:
    """Return ``macro`` with a memory that ends with the page, for what many of its rows say."""
    return cache(partial(macro, page))


def init_app(app: Flask) -> None:
    """Register the filters and the icon macro of every template."""
    for written in (
        local_time,
        clock_time,
        local_moment,
        local_weekday_time,
        wall_time,
        calendar_day,
        month_name,
        full_day,
        short_number,
        ago,
        place,
        language_name,
    ):
        app.add_template_filter(written)
    # Macros that are imported without context read these; pages have their own.
    app.jinja_env.globals.update(_=_, gettext=_, ngettext=_ngettext)
    app.context_processor(_of_page)
    app.teardown_request(_forget_language)
    get_babel(app).instance.domain_instance = _Domain(domain=get_babel(app).default_domain)
    app.add_template_filter(phones.as_written, "phone")
    app.add_template_global(percent)
    app.add_template_global(once_each)
    app.add_template_global(_icon_of(app), "icon")


class Words:
    """The words of one language, for templates: each looked up once, safe, with what is filled in.

    As Jinja's own (install_gettext_callables, newstyle), which looks up and marks each word anew:
    on a page of a thousand words that is a fifth of its time.
    """

    def __init__(self, catalogue: NullTranslations) -> None:
        self._catalogue = catalogue
        self._known: dict[str, Markup] = {}  # without anything to fill in

    def one(self, message: str, **filled: object) -> Markup:
        """Return ``message``, with ``%(name)s`` filled in and escaped."""
        known = self._known.get(message)
        if known is None:
            known = self._known[message] = Markup(self._catalogue.gettext(message))  # noqa: S704 - our own words
        return _filled(known, filled) if filled or "%" in known else known

    def counted(self, singular: str, plural: str, number: int, **filled: object) -> Markup:
        """Return the form of a message that goes with ``num``."""
        chosen = self._catalogue.ngettext(singular, plural, number)
        return _filled(chosen, {"num": number, **filled})


def _filled(words: str, filled: Mapping[str, object]) -> Markup:
    """As ``Markup.__mod__``, which makes an object of each thing to fill in: twice the time."""
    safe = {name: escaped(each) for name, each in filled.items()}
    return Markup(str(words) % safe)  # noqa: S704 - our own words, and the rest is escaped


_WORDS: dict[str, Words] = {}
_LANGUAGE: ContextVar[str | None] = ContextVar("language", default=None)


def _words() -> Words:
    """Return the words of the reader's language; made once a language."""
    language = _language()
    if language not in _WORDS:
        _WORDS[language] = Words(get_translations())
    return _WORDS[language]


class _Domain(Domain):  # type: ignore[misc]
    """As Flask-Babel's own, which works out the reader's language anew for each word."""

    def __init__(self, **where: object) -> None:
        super().__init__(**where)
        self._catalogues: dict[str, NullTranslations] = {}

    def get_translations(self) -> NullTranslations:
        """Return the words of the reader's language; made once a language."""
        language = _language()
        if language not in self._catalogues:
            self._catalogues[language] = super().get_translations()
        return self._catalogues[language]


def _(message: str, **filled: object) -> Markup:
    return _words().one(message, **filled)


def _ngettext(singular: str, plural: str, number: int, **filled: object) -> Markup:
    return _words().counted(singular, plural, number, **filled)


def _language() -> str:
    """Return the reader's language, worked out once a request."""
    known = _LANGUAGE.get()
    if known is None:
        known = str(get_locale() or "en")
        if has_request_context():
            _LANGUAGE.set(known)
    return known


def _forget_language(_error: BaseException | None) -> None:
    _LANGUAGE.set(None)


def _of_page() -> dict[str, Callable[..., Markup]]:
    """Return the words of one page's language: asked for once, not once a word."""
    words = _words()
    return {"_": words.one, "gettext": words.one, "ngettext": words.counted}


def _icon_of(app: Flask) -> Callable[..., Markup]:
    @cache
    def icon(name: str, label: str = "") -> Markup:
        """Return one icon of the sprite; hidden from screen readers unless labelled."""
        sprite = app.jinja_env.globals["asset"]("vendor/icons.svg")  # type: ignore[operator]
        hidden = Markup('role="img" aria-label="{}"').format(label) if label else None
        return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(
            hidden or Markup('aria-hidden="true"'), sprite, name
        )

    return icon


@lru_cache(maxsize=20_000)
def _formatted(local: datetime, pattern: str, locale: str) -> str:
    """Return a wall-clock moment, to the minute, in words; lists repeat few of them."""
    return babel_format(local, pattern, locale=locale).replace("\u202f", "\u00a0")


def _formatted_day(day: date, pattern: str) -> str:
    return _formatted(datetime.combine(day, time()), pattern, _language())


def _local(instant: datetime, zone: ZoneInfo | str, pattern: str) -> str:
    local = instant.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    to_the_minute = local.replace(second=0, microsecond=0, tzinfo=None)
    return _formatted(to_the_minute, pattern, _language())
