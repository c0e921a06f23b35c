"""The reference of the API as pages, served from here alone: every call with its fields, to be tried with one's own token."""

import json
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, current_app, render_template

from incident.api import reading
from incident.domain.access import MEMBER
from incident.domain.errors import Missing
from incident.web.access import permit
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("reference", __name__, url_prefix="/reference")


@bp.get("/")
@permit(MEMBER)
@named(Word("The parts of the API"))
def index() -> str:
    """The parts of the API, and how a call is made."""
    spec = described()
    return render_template("reference/list.html", parts=reading.parts(spec), slug=reading.slug, info=spec["info"])


@bp.get("/<part>")
@permit(MEMBER)
def show(part: str) -> str:
    """Every call of one part."""
    spec = described()
    name = next((name for name in reading.parts(spec) if reading.slug(name) == part), None)
    if name is None:
        raise Missing()
    calls = reading.of_part(spec, name)
    return render_template(
        "reference/show.html", name=name, calls=calls, parts=reading.parts(spec), slug=reading.slug, written=_written
    )


def described() -> reading.Spec:
    """The description that programs read, made once."""
    app = current_app
    if not isinstance(app, APIFlask):
        raise Missing()
    spec = app.spec
    if isinstance(spec, str):
        raise Missing()
    return spec


def _written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
