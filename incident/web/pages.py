"""All pages that one may open here, by name: the palette's source, and a page for whoever has no script.

The list is made of the routes and their permits. A view names its page with `named`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Flask, current_app, g, render_template, url_for
from werkzeug.routing import Rule

from incident.domain.access import MEMBER, OWN, PUBLIC, SIGNED
from incident.store.incidents import Incident
from incident.web.access import may, may_anywhere, permit
from incident.web.languages import Word

View = TypeVar("View", bound=Callable[..., Any])

bp = Blueprint("pages", __name__)

OPENED_BY_NOBODY_HERE = frozenset({PUBLIC, SIGNED, OWN})
FILES = frozenset(
    {
        "audit.checkpoint",
        "record.checkpoint",
        "record.export",
        "record.key",
        "account.second_factor",
        "sign_on.connect",
        "drill.arrived",
        "drill.standing",
    }
)
"""Routes that answer with a file or a part of a page, or lead elsewhere: there is no page to open."""


@dataclass(frozen=True)
class Page:
    """One page: its name and address."""

    name: str
    href: str


def named(name: str) -> Callable[[View], View]:
    """Mark a view with the name of its page, as the palette shows it."""

    def mark(view: View) -> View:
        view.page = name  # type: ignore[attr-defined]
        return view

    return mark


@bp.get("/everything")
@permit(MEMBER)
@named(Word("All you can do"))
def index() -> str:
    """Every page over all incidents that this reader may open."""
    return render_template("pages/list.html", pages=everywhere(), here=[])


@bp.get("/incidents/<incident>/everything")
@permit("incident.view")
@named(Word("All you can do in this incident"))
def of_incident(incident: str) -> str:
    """Every page of this incident that this reader may open, and every page over all of them."""
    return render_template("pages/list.html", pages=everywhere(), here=of(g.incident))


def everywhere() -> list[Page]:
    """The pages that need nothing in their address, by name."""
    return _listed({}, may_anywhere)


def of(incident: Incident) -> list[Page]:
    """The pages of this incident, by name."""
    return _listed({"incident": incident.ref}, may)


def _listed(values: dict[str, Any], may_open: Callable[..., bool]) -> list[Page]:
    found = {}
    for rule in openable(current_app):
        view = current_app.view_functions[rule.endpoint]
        if rule.arguments == set(values) and may_open(view):
            found[rule.endpoint] = Page(name_of(view), url_for(rule.endpoint, **values))
    return sorted(found.values(), key=lambda page: page.name.casefold())


def openable(app: Flask) -> list[Rule]:
    """The routes of pages for whoever has an account, that need no more than an incident in their address."""
    return [rule for rule in app.url_map.iter_rules() if _is_page(app, rule)]


def _is_page(app: Flask, rule: Rule) -> bool:
    name = getattr(app.view_functions[rule.endpoint], "permit", PUBLIC)
    is_read = "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/")
    is_file = "." in rule.rule.rpartition("/")[2]
    is_open = rule.arguments <= {"incident"} and rule.endpoint not in FILES
    return is_read and not is_file and is_open and name not in OPENED_BY_NOBODY_HERE


def name_of(view: Callable[..., Any]) -> str:
    """What the page of this view is called; empty where nobody named it."""
    return str(getattr(view, "page", ""))
