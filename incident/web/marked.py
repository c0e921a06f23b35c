"""What is marked as privileged in the incident of this request, and what of it the reader may not see."""

from typing import cast

from flask import Flask, g, request

from incident.domain.errors import Missing
from incident.domain.privilege import Kind, Marked
from incident.store import privilege
from incident.web.access import sees_privileged


def init(app: Flask) -> None:
    """Closes what a guest may not see, and gives pages the tags."""
    app.before_request(demand_shown)
    app.jinja_env.globals["marked_items"] = items


ARGUMENTS = {"piece": Kind.EVIDENCE, "key": Kind.FACT}
REPORT_ROOMS = {"reports", "api_reports"}


def marked() -> list[Marked]:
    """Everything that is marked in this incident, read once a request."""
    if g.get("marked_of") != g.incident.id:
        g.marked_of, g.marked = g.incident.id, privilege.current(g.incident.id)
    return cast(list[Marked], g.marked)


def items(kind: str) -> frozenset[str]:
    """The references (keys of facts) of this kind that are marked: for a tag beside them."""
    return privilege.items(marked(), Kind(kind))


def hidden(kind: str) -> frozenset[str]:
    """Those of this kind that this reader may not see."""
    return frozenset() if sees_privileged() else items(kind)


def demand_shown() -> None:
    """For an address that names a marked item: as if it were not there, to a guest who was not let into that."""
    if "incident" not in g or sees_privileged():
        return
    given = request.view_args or {}
    named = [(kind, given[name]) for name, kind in ARGUMENTS.items() if name in given]
    if request.blueprint in REPORT_ROOMS and "ref" in given:
        named.append((Kind.REPORT, given["ref"]))
    if any(item in items(kind) for kind, item in named):
        raise Missing()
