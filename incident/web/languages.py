"""The interface in the reader's language: which one that is, its words, and how its dates are written.

`_("…", name=value)` and `ngettext` are for texts of pages and of the Python beside them, `Word("…")` for texts that are fixed
when the program starts (labels, tables), and the filter `said` for what comes from below the pages: rules, actions, law files'
vocabulary. Programs (the API, hooks, jobs, the command line) are always answered in English.
"""

from datetime import datetime, tzinfo
from typing import Any, Final, cast

from babel import Locale, UnknownLocaleError
from flask import Flask, g, has_request_context, request, session
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from incident.actions.users import LANGUAGES
from incident.domain import phrases, starters
from incident.domain.facts import Unknown, Value, shown
from incident.exports import catalogue as catalogues
from incident.exports.catalogue import FORMATS, catalogue
from incident.web import access

ENGLISH: Final = "en"
MEANT: Final = {("en", None): "en", ("zh", "Hans"): "zh-Hans", ("zh", None): "zh-Hans"}
"""Language and script of a browser's tag, and which of ours that is."""
OWN_NAMES: Final = {"en": "English", "zh-Hans": "简体中文"}
OFFERED: Final = [(tag, OWN_NAMES[tag]) for tag in LANGUAGES]
"""Tags and what each language calls itself, in the order of the switch."""


def init(app: Flask) -> None:
    """Hands words and languages to the templates."""
    app.jinja_env.globals.update(
        _=_on_page,
        ngettext=_counted_on_page,
        reader_language=tag,
        reader_direction=direction,
        offered_languages=OFFERED,
    )
    app.jinja_env.filters["said"] = said


class Word(str):
    """A text fixed when the program starts: equal to its English, shown in the reader's language."""

    __slots__ = ()

    def __str__(self) -> str:
        return catalogue(tag()).text(str.__str__(self))

    def __html__(self) -> str:
        return str(escape(str(self)))

    def lower(self) -> str:
        """Return it in small letters, in the reader's language."""
        return str(self).lower()

    def capitalize(self) -> str:
        """Return it with a large first letter, in the reader's language."""
        return str(self).capitalize()


def tag() -> str:
    """The language of whoever this answer is for."""
    if not has_request_context():
        return ENGLISH
    kept: str | None = g.get("language")  # asked for every text of a page
    if kept is None:
        kept = g.language = _chosen()
    return kept


def _chosen() -> str:
    """What stands in the account; for strangers what they switched to, else the first their browser names that we have."""
    if request.path.startswith(("/api/", "/hooks/")):
        return ENGLISH
    reader = access.user()
    if reader is not None:
        return reader.language if reader.language in LANGUAGES else ENGLISH
    if session.get("language") in LANGUAGES:
        return cast(str, session["language"])
    return next((found for given in request.accept_languages.values() if (found := _matching(given))), ENGLISH)


def _matching(given: str) -> str | None:
    """The offered language that a browser's tag such as `zh-CN` means; who reads another script is not given this one."""
    try:
        wanted = Locale.parse(given.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None
    return MEANT.get((wanted.language, wanted.script))


def direction() -> str:
    """`ltr` or `rtl`, as the reader's language is written."""
    return Locale.parse(tag(), sep="-").text_direction


def tongue(code: str) -> str:
    """The name of a language: for English readers its own where we write in it, else as the reader's language calls it."""
    if tag() == ENGLISH and code in starters.languages():
        return starters.named(code)
    try:
        return Locale.parse(code, sep="-").get_display_name(locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def locale() -> str:
    """The name by which Babel knows how the reader writes dates and numbers."""
    return FORMATS[tag()]


def _(english: str, /, **values: object) -> str:
    """The text in the reader's language, `%(name)s` filled from `values`."""
    text = catalogue(tag()).text(english)
    return text % values if values else text


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """The text for this count in the reader's language; `values` fill its places."""
    return _(one if count == 1 else many, **values)


def said(text: Any) -> Any:
    """Words that rules, actions or files made, in the reader's language; whatever is no plain text comes back as it is."""
    if tag() == ENGLISH or not isinstance(text, str) or isinstance(text, Markup):
        return text
    return catalogues.said(text, tag())


def value_words(key: str, value: Value | Unknown, zone: tzinfo) -> str:
    """The value of a fact in the reader's language, as reports say it; times in `zone`, which is named."""
    if tag() != "zh-Hans":
        return shown(key, value, zone)
    words = phrases.words(key, value, zone, "zh")
    return catalogues.placed(words, tag()) if isinstance(value, datetime) else words


@pass_eval_context
def _on_page(context: EvalContext, english: str, /, **values: object) -> str:
    """The same on a page: the text may hold markup of ours, what fills it is escaped."""
    text = catalogue(tag()).text(english)
    if context.autoescape:
        text = Markup(text)  # noqa: S704  # nosec B704  # texts are ours; values are escaped by it
    return text % values if values else text


@pass_eval_context
def _counted_on_page(context: EvalContext, one: str, many: str, count: int, /, **values: object) -> str:
    return _on_page(context, one if count == 1 else many, **values)
