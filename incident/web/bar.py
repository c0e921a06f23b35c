"""The bar at the top of every page: the next deadline over all incidents, where one can go, and what keys lead there."""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from flask import current_app, g, request, url_for
from sqlalchemy import Select

from incident.domain.access import Role
from incident.store import incidents as rows
from incident.store import surroundings
from incident.store.incidents import Incident
from incident.store.overview import NOW
from incident.store.surroundings import READER, Around
from incident.web import access
from incident.web.access import now
from incident.web.dues import DueWords, due_words

MOST_LATE = 100
"""So many late duties are counted in the bar, and no more."""


class Entry(NamedTuple):
    """A page of the bar: endpoint, word, the blueprint under which it is current, and the key that leads there after `g`."""

    endpoint: str
    word: str
    room: str
    key: str = ""


@dataclass(frozen=True)
class Deadline:
    """What is due next, and how many duties are late already."""

    due: DueWords
    title: str
    incident: str
    href: str
    late: int
    most: bool


def next_deadline() -> Deadline | None:
    """What is due next over all incidents of this reader; drills are left out, for nothing in them is due."""
    found = around().next
    if found is None:
        return None
    href = url_for("obligations.show", incident=found.incident, ref=found.finding)
    due = due_words(found.due_at, now())
    return Deadline(due, found.title, found.incident, href, found.late, found.late >= MOST_LATE)


def around() -> Around:
    """What stands around this page for its reader, read once a request. A part of a page has nothing around it."""
    if "around" not in g:
        is_part = request.headers.get("X-Fragment") == "1"
        incident = g.incident.id if "incident" in g and not is_part else None
        over = None if is_part or not _sees_duties() else _theirs(_sees_all())
        g.around = surroundings.read(incident, over, now(), most=MOST_LATE, reader=_number())
    found: Around = g.around
    return found


def _sees_duties() -> bool:
    known = current_app.view_functions
    return access.user() is not None and "obligations.show" in known and access.may_anywhere(known["obligations.show"])


def may_search() -> bool:
    """Whether the field to search stands in the bar: for who works on incidents, and not for guests of one."""
    return "search.find" in current_app.view_functions and access.may_anywhere(
        current_app.view_functions["search.find"]
    )


def mine() -> Select[Any]:
    """The ids of the open incidents this reader may know of, as a query."""
    return _open(rows.visible(_number(), sees_all=_sees_all(), at=now()))


@cache
def _theirs(sees_all: bool) -> Select[Any]:
    """The same for whoever reads and whenever, without drills, made once."""
    return _open(rows.visible(READER, sees_all=sees_all, at=NOW)).where(Incident.kind != "drill")


def _open(seen: Select[Incident]) -> Select[Any]:
    return seen.with_only_columns(Incident.id).where(Incident.state == "open")


def _number() -> int | None:
    reader = access.user()
    return reader.id if reader else None


def _sees_all() -> bool:
    reader = access.user()
    return reader is not None and Role.AUDITOR in reader.roles
