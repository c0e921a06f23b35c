"""The search in the bar: incidents, duties and notices by reference or words; people by an exact address alone.

What is typed comes by POST. An address, a number or a name of a person stands in no address of a page: only words of
titles and references go on to one that can be kept.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from incident.actions import search as actions
from incident.domain import search as rules
from incident.domain.access import Role
from incident.domain.errors import Invalid
from incident.store import incidents as incident_rows
from incident.store import search as rows
from incident.store.incidents import Incident
from incident.web import findings
from incident.web.access import actor, may, me, now, permit
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("search", __name__, url_prefix="/search")

LISTED = 8
PLACES = {
    "incident": ("incidents.show", False),
    "duty": ("obligations.show", True),
    "notice": ("notices.show", True),
}
OPENED_BY = {"incident": "incident.view", "duty": "duty.view", "notice": "notice.view"}


@bp.get("/")
@permit("incident.view")
@named(Word("Search"))
def index() -> str:
    """Incidents, duties and notices with the words of the address in them."""
    text = _text(request.args.get("q", ""))
    if rules.is_contact(text):
        return _page(
            "", said=_("An address or number is searched for from the field alone, so that it stands in no address.")
        )
    return _page(text)


@bp.post("/")
@permit("incident.view")
def find() -> ResponseReturnValue:
    """Where what was typed leads: to the thing with this reference, to the people with this address, or to a list."""
    text = _text(request.form.get("q", ""))
    if not text:
        return redirect(url_for(".index"))
    if rules.is_reference(text) and (exact := rows.exactly(among(), text.upper())) and may(OPENED_BY[exact[0]]):
        kind, incident, ref = exact
        endpoint, has_ref = PLACES[kind]
        more: dict[str, Any] = {"ref": ref} if has_ref else {}
        return redirect(url_for(endpoint, incident=incident, **more))
    if rules.is_contact(text) or "people" in request.form:
        return _people(text)
    return redirect(url_for(".index", q=text))


def among() -> Select[Incident]:
    """The incidents this reader may know of."""
    return incident_rows.visible(me().id, sees_all=Role.AUDITOR in me().roles, at=now())


def lists(text: str) -> dict[str, Any]:
    """What has these words in it, by kind, as rows; empty lists where the reader may not look or nothing was typed."""
    duties = rows.duties(among(), text, limit=LISTED) if text and may("duty.view") else []
    notices = rows.notices(among(), text, limit=LISTED) if text and may("notice.view") else []
    where = incident_rows.by_ids({row.incident_id for row in duties} | {row.incident_id for row in notices})
    return {
        "incidents": rows.incidents(among(), text, limit=LISTED) if text else [],
        "duties": [(row, where[row.incident_id]) for row in duties],
        "notices": [(row, where[row.incident_id]) for row in notices],
    }


def _people(text: str) -> ResponseReturnValue:
    if not may("people.view"):
        return _page("", said=_("Your role does not open people."))
    try:
        found = actions.for_person(text, among(), actor=actor(), now=now())
    except Invalid as error:
        return _page("", said=error.sentence), 422
    return _page("", found=found)


def _page(text: str, *, said: str = "", found: actions.Found | None = None) -> str:
    made = lists(text)
    shown = [(findings.shown(row, now()), incident) for row, incident in made.pop("duties")]
    return render_template("search/found.html", text=text, said_of_it=said, found=found, duties=shown, **made)


def _text(raw: str) -> str:
    return " ".join(raw.split())[: rules.LONGEST]
