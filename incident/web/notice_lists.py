"""The lists of notices: of one incident, and of all that a reader may know of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, render_template, request, url_for

from incident.domain.access import Role
from incident.domain.notices import Stage
from incident.exports import csv
from incident.store import incidents
from incident.store import notices as rows
from incident.store.notices import Notice, NoticeVersion
from incident.store.users import User
from incident.web import composing, notice_pages, notices
from incident.web.access import me, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named

desk = Blueprint("all_notices", __name__, url_prefix="/desk/notices")

PAGE = 50
HEADER = (
    *("reference", "incident", "title", "stage", "version", "channels", "languages", "people", "drafted by"),
    *("drafted (UTC)", "submitted (UTC)", "decided by", "decided (UTC)"),
)


@dataclass(frozen=True)
class Entry:
    """A notice in a list."""

    notice: Notice
    incident: str
    version: NoticeVersion | None
    by: str
    ways: str
    people: int | None


@notices.bp.get("/")
@permit("notice.view")
@named(Word("Notices of this incident"))
def index(incident: str) -> str:
    """The notices of an incident, newest first."""
    found = list(rows.of_incident(g.incident.id, before=request.args.get("before", type=int), limit=PAGE + 1))
    more = url_for(".index", incident=incident, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    return render_template("notices/list.html", found=entries(found[:PAGE]), more=more, tones=notice_pages.TONES)


@notices.bp.get("/notices.csv")
@permit("notice.view")
def table(incident: str) -> Response:
    """The notices of an incident as CSV."""
    incident_id = g.incident.id
    return _csv(lambda before: rows.of_incident(incident_id, before=before, limit=500))


@desk.get("/", endpoint="index")
@permit("notice.view")
@named(Word("All notices"))
def index_of_all() -> str:
    """The notices of every incident this reader may know of, newest first."""
    stage = request.args.get("stage", "")
    stage = stage if stage in set(Stage) else ""
    before = request.args.get("before", type=int)
    found = list(rows.among(visible(me()), stage=stage, before=before, limit=PAGE + 1))
    more = url_for(".index", before=found[PAGE - 1].id, stage=stage or None) if len(found) > PAGE else ""
    return render_template(
        "notices/desk.html",
        found=entries(found[:PAGE]),
        more=more,
        first=url_for(".index", stage=stage or None) if before else "",
        stage=stage,
        stages=list(Stage),
        tones=notice_pages.TONES,
    )


@desk.get("/notices.csv")
@permit("notice.view")
def table_of_all() -> Response:
    """The same list as CSV."""
    known = visible(me())
    return _csv(lambda before: rows.among(known, stage="", before=before, limit=500))


def entries(found: Sequence[Notice]) -> list[Entry]:
    """The notices with what a list says of them."""
    versions = rows.current_versions(found)
    people = notice_pages.names(list(versions.values()), *found)
    refs = rows.incident_refs({notice.incident_id for notice in found})
    return [
        Entry(
            notice,
            refs[notice.incident_id],
            versions.get(notice.id),
            people.get(notice.drafter, notice.drafter),
            composing.channel_words(notice.channels),
            versions[notice.id].people if notice.id in versions else None,
        )
        for notice in found
    ]


def _csv(page: Callable[[int | None], Sequence[Notice]]) -> Response:
    return csv_answer(csv.rows(HEADER, _lines(page)), "notices.csv")


def _lines(page: Callable[[int | None], Sequence[Notice]]) -> Iterator[tuple[Any, ...]]:
    before: int | None = None
    while found := page(before):
        for entry in entries(found):
            notice, version = entry.notice, entry.version
            yield (
                *(notice.ref, entry.incident, notice.title, notice.stage, notice.number, " ".join(notice.channels)),
                *(" ".join(notice.languages), entry.people, notice.drafter, notice.drafted_at),
                *((version.submitted_at, version.decided_by, version.decided_at) if version else ("", "", "")),
            )
        before = found[-1].id


def visible(reader: User) -> Any:
    """The ids of the incidents this reader may know of, as a query."""
    query = incidents.visible(reader.id, sees_all=Role.AUDITOR in reader.roles, at=now())
    return query.with_only_columns(incidents.Incident.id)
