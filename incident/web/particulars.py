"""Who the organisation is, on one page: what notices, reports and public pages say of it."""

from typing import Final

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, SelectMultipleField, StringField, TelField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from incident.actions import particulars as actions
from incident.domain import zones
from incident.domain.errors import Invalid
from incident.domain.facts import vocabulary
from incident.domain.particulars import FACTS, NAMES
from incident.settings import Settings
from incident.web.access import actor, now, permit
from incident.web.administration import ORIGINS
from incident.web.languages import Word, _
from incident.web.pages import named
from incident.web.zones import ZONES

bp = Blueprint("particulars", __name__, url_prefix="/administration/organisation")

HINTS: Final = {
    "company_name": Word("As notices and reports give it. No notice goes out without it."),
    "company_places": Word(
        "Where it is established: codes with commas, such as DE, US-CA. Each incident begins with them, and laws depend on them."
    ),
    "company_kinds": Word("Laws depend on it: tick all that hold. Ask your counsel where you are not sure."),
    "company_operator": Word("Asked by the rules of mainland China alone."),
    "contact_name": Word("The person or department in charge of personal data."),
    "contact_email": Word("Where people can write to; replies to a notice go there."),
    "contact_phone": Word("Where people can call."),
    "contact_address": Word("The postal address of the person or department in charge."),
    "time_zone": Word("Notices give days by it."),
}


def _options(name: str) -> list[tuple[str, str]]:
    """The words that may be chosen for this setting, each with its label."""
    return [(option.word, Word(option.label)) for option in vocabulary()[FACTS[name]].options]


class ParticularsForm(FlaskForm):
    """What may be said of the organisation; what environment or file say is not asked."""

    company_name = StringField(Word("Name"), render_kw={"autocomplete": "organization"})
    company_places = StringField(Word("Countries and states"))
    company_kinds = SelectMultipleField(
        Word("What it is"),
        choices=_options("company_kinds"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    company_operator = SelectField(
        Word("Kind of operator in mainland China"), choices=[("", Word("not said")), *_options("company_operator")]
    )
    contact_name = StringField(Word("Contact"))
    contact_email = EmailField(Word("E-mail"))
    contact_phone = TelField(Word("Telephone"))
    contact_address = TextAreaField(Word("Postal address"))
    time_zone = SelectField(Word("Time zone"), choices=ZONES)


@bp.get("/")
@permit("administration.view")
@named(Word("Your organisation"))
def show() -> str:
    """What is said of the organisation, and by whom."""
    standing = _standing()
    return _page(ParticularsForm(formdata=None, data=standing | {"company_kinds": _listed(standing["company_kinds"])}))


@bp.post("/")
@permit("organisation.change", fresh="particulars.show")
def change() -> ResponseReturnValue:
    """Say who the organisation is."""
    form, settings = ParticularsForm(), _settings()
    wanted = {name: ",".join(filter(None, request.form.getlist(name))) for name in NAMES if name in request.form}
    try:
        changed = actions.change(
            _without_the_usual(wanted), settings=settings, seen=request.form.get("seen"), actor=actor(), now=now()
        )
    except Invalid as error:
        if error.field not in form:
            raise
        form[error.field].errors = [error.sentence]
        return _page(form), 422
    current_app.extensions["renewal"].now()
    flash(_said_of(changed))
    return redirect(url_for(".show"))


def _said_of(changed: list[str]) -> str:
    if not changed:
        return _("Nothing was changed.")
    if FACTS.keys() & changed:
        return _("Saved. It counts at once; open incidents take it up one after the other, and are judged anew.")
    return _("Saved. It counts at once.")


def _without_the_usual(wanted: dict[str, str]) -> dict[str, str]:
    """The same without a zone that nobody chose: the list of zones always sends one."""
    usual = wanted.get("time_zone") == _settings().time_zone and "time_zone" not in actions.said(_settings())
    return {name: words for name, words in wanted.items() if not (usual and name == "time_zone")}


def _standing() -> dict[str, str]:
    standing = actions.known(_settings())
    return {name: getattr(standing, name) for name in NAMES}


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def _shown(standing: dict[str, str]) -> dict[str, list[str]]:
    """What stands of each, as lines: of what is chosen from a list, the labels."""
    shown = {name: [words] if words else [] for name, words in standing.items()}
    for name in ("company_kinds", "company_operator"):
        labels = dict(_options(name))
        shown[name] = [labels.get(word, word) for word in _listed(standing[name])]
    return shown


def _page(form: ParticularsForm) -> str:
    settings = _settings()
    if form.time_zone.data not in zones.known():
        form.time_zone.data = settings.time_zone
    return render_template(
        "administration/organisation.html",
        form=form,
        hints=HINTS,
        names=NAMES,
        fixed=actions.given(settings),
        origins=settings.origins(),
        origin_words=ORIGINS,
        standing=_shown(_standing()),
        said=actions.said(settings),
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
