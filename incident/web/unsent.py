"""What somebody typed while their session ended: shown to them again after they signed in, to be sent or thrown away."""

from dataclasses import dataclass

import structlog
from flask import Blueprint, Flask, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from incident.actions import unsent as actions
from incident.domain.access import MEMBER
from incident.domain.errors import Missing
from incident.domain.unsent import written
from incident.store import unsent as rows
from incident.store.unsent import UnsentForm
from incident.web.access import actor, me, now, permit
from incident.web.languages import Word, _
from incident.web.pages import named

log = structlog.get_logger()

bp = Blueprint("unsent", __name__, url_prefix="/unsent")

FIELD = "unsent"
"""The field by which a form that is sent again names what was kept of it."""


@dataclass(frozen=True)
class Typed:
    """One form as its page shows it: what was written, by the names of its fields, and all of it to be sent again."""

    row: UnsentForm
    page: str
    written: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    with_files: bool


def init(app: Flask) -> None:
    """Forgets what was kept once it was sent again and done."""
    app.after_request(_forget)


@bp.get("/")
@permit(MEMBER)
@named(Word("What you typed when your session ended"))
def index() -> str:
    """Every form that is kept for the reader, newest first."""
    return render_template("unsent/list.html", found=[_typed(row) for row in rows.of(me().id, now())])


@bp.get("/<ref>")
@permit(MEMBER)
def show(ref: str) -> str:
    """One of them, with all that was typed."""
    row = rows.by_ref(me().id, ref, now())
    if row is None:
        raise Missing("This was sent since, thrown away, or is older than two days.")
    return render_template("unsent/list.html", found=[_typed(row)])


@bp.post("/<ref>/drop")
@permit(MEMBER)
def drop(ref: str) -> ResponseReturnValue:
    """Throw one of them away."""
    actions.drop(ref, actor=actor(), now=now())
    flash(_("Thrown away."), "met")
    return redirect(url_for(".index"))


def _typed(row: UnsentForm) -> Typed:
    kept = row.kept()
    return Typed(row, kept.page, written(kept.fields), kept.fields, kept.with_files)


def _forget(response: Response) -> Response:
    """What was sent again and led on is done. Where it cannot be forgotten it is offered until its time is over."""
    led_on = response.status_code in {302, 303} and request.method == "POST" and "person" in g
    if led_on and (ref := request.form.get(FIELD, "")):
        try:
            rows.forget(g.person.id, ref)
        except SQLAlchemyError as error:
            log.warning("unsent.not_forgotten", reason=type(error).__name__)
    return response
