"""The list of newsrooms, and the page of one notice on which it is handed to them."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import media_copies, outlets
from incident.actions.notices import approved_version
from incident.domain import outlets as rules
from incident.domain import places, starters
from incident.domain.errors import Invalid, Missing
from incident.domain.handovers import State
from incident.exports import csv
from incident.exports.letters import MIME
from incident.store import incidents, notices
from incident.store import outlets as rows
from incident.store.notices import Notice, NoticeVersion
from incident.store.outlets import MediaCopy
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _, ngettext, tongue
from incident.web.notice_pages import house
from incident.web.pages import named
from incident.web.public_tasks import names

bp = Blueprint("newsrooms", __name__, url_prefix="/newsrooms")
one = Blueprint("media", __name__, url_prefix="/incidents/<incident>/notices/<ref>/newsrooms")

PAGE = 50


@bp.get("/")
@permit("outlet.view")
@named(Word("Newsrooms"))
def index() -> str:
    """The newsrooms on the list, and a form for another one."""
    return _list({}, {})


@bp.post("/")
@permit("outlet.change")
def keep() -> ResponseReturnValue:
    """Put a newsroom on the list."""
    form = request.form
    try:
        outlets.keep(
            name=form.get("name", ""),
            places=form.get("places", "").replace(";", ",").replace(" ", ",").split(","),
            language=form.get("language", "en"),
            email=form.get("email", ""),
            address=form.get("address", ""),
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _list(form, {error.field: error.sentence}), 422
    flash("The newsroom is on the list.", "met")
    return redirect(url_for(".index"))


@bp.post("/<outlet>/remove")
@permit("outlet.change")
def remove(outlet: str) -> ResponseReturnValue:
    """Take a newsroom off the list."""
    outlets.remove(outlet, actor=actor(), now=now())
    flash("Taken off the list. Its addresses are forgotten.", "met")
    return redirect(url_for(".index"))


@bp.get("/newsrooms.csv")
@permit("outlet.view")
def table() -> Response:
    """The newsrooms on the list, as CSV."""
    header = ("reference", "name", "places", "language", "email", "address")
    found = (
        (row.ref, row.name, " ".join(row.places), row.language, row.email, row.address.replace("\n", ", "))
        for row in rows.kept()
    )
    return csv_answer(csv.rows(header, found), "newsrooms.csv")


def _list(form: Any, errors: dict[str, str]) -> str:
    found = list(rows.kept(after=request.args.get("after", ""), limit=PAGE + 1))
    return render_template(
        "newsrooms/list.html",
        found=found[:PAGE],
        more=url_for(".index", after=found[PAGE - 1].ref) if len(found) > PAGE else "",
        form=form,
        errors=errors,
        languages=[(tag, tongue(tag)) for tag in starters.languages()],
        named=places.named,
    )


@one.get("/")
@permit("notice.view")
def show(incident: str, ref: str) -> str:
    """Which newsrooms may get this notice, and what became of each that did."""
    return _page(ref, {})


@one.post("/")
@permit("media.send")
def send(incident: str, ref: str) -> ResponseReturnValue:
    """Hand the approved notice to the chosen newsrooms."""
    form = request.form
    try:
        count = media_copies.ask(
            incident,
            ref,
            form.getlist("outlets"),
            way=form.get("way", ""),
            digest=form.get("digest", ""),
            because=form.get("because", ""),
            channels=current_app.extensions["channels"],
            actor=actor(),
            now=now(),
        )
    except Invalid as error:
        return _page(ref, {error.field: error.sentence}), 422
    newsrooms = ngettext("%(count)s newsroom", "%(count)s newsrooms", count, count=count)
    flash(
        _("It goes out to %(newsrooms)s.", newsrooms=newsrooms)
        if form.get("way") == "email"
        else _("Print it below for %(newsrooms)s.", newsrooms=newsrooms),
        "met",
    )
    return redirect(url_for(".show", incident=incident, ref=ref))


@one.post("/<copy>/said")
@permit("media.send")
def say(incident: str, ref: str, copy: str) -> ResponseReturnValue:
    """Say that the paper was handed over, or that what is in doubt did go out."""
    media_copies.say(incident, copy, actor=actor(), now=now())
    flash("Kept, on your word.", "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@one.get("/paper.pdf")
@permit("media.send")
def paper(incident: str, ref: str) -> Response:
    """The notice as letters to the newsrooms that get it on paper."""
    made = media_copies.paper(incident, ref, form=current_app.extensions["settings"].letters, house=house())
    answer = Response(made.content, mimetype=MIME)
    answer.headers["Content-Disposition"] = f'attachment; filename="{ref}-newsrooms.pdf"'
    return answer


@one.get("/newsrooms.csv")
@permit("notice.view")
def copies_table(incident: str, ref: str) -> Response:
    """What became of this notice for each newsroom, as CSV: the proof that the media were told."""
    header = (
        "attempt_ref", "newsroom", "name", "version", "attempt", "way", "state", "reason", "provider_id",
        "asked_by", "asked_at (UTC)", "changed_at (UTC)",
    )  # fmt: skip
    return csv_answer(csv.rows(header, _cells(_notice(ref))), f"{ref}-newsrooms.csv")


def _cells(notice: Notice) -> Iterator[tuple[Any, ...]]:
    for version in notices.versions(notice.id):
        found = rows.copies(version.id)
        known = rows.by_ids([row.outlet_id for row in found])
        for row in found:
            outlet = known[row.outlet_id]
            way = (row.way, row.state, row.reason, row.provider_id, row.asked_by, row.asked_at, row.changed_at)
            yield (row.ref, outlet.ref, outlet.name, version.number, row.attempt, *way)


def _page(ref: str, errors: dict[str, str]) -> str:
    notice = _notice(ref)
    rules.demand_ready(notice.stage, notice.channels)
    version = approved_version(ref)
    found = list(rows.copies(version.id))
    listed = rows.kept()
    residents = incidents.known(g.incident.id).get("residents", {})
    wanted = [code for code, people in residents.items() if people] if isinstance(residents, dict) else []
    return render_template(
        "newsrooms/notice.html",
        notice=notice,
        version=version,
        found=found,
        known=rows.by_ids([row.outlet_id for row in found]),
        listed=listed,
        near={one.ref for one in listed if rules.serves(one.places, wanted)},
        busy={row.outlet_id for row in found if State(row.state) not in rules.REPEATABLE},
        words={state.value: said for state, said in rules.WORDS.items()},
        by_hand={state.value for state in rules.SETTLED_BY_HAND},
        doubtful=_doubtful(found),
        simulated=_simulated(version),
        named=places.named,
        names=names(row.asked_by for row in found),
        errors=errors,
        chosen=request.form.getlist("outlets"),
    )


def _doubtful(found: list[MediaCopy]) -> bool:
    """Whether the last attempt for some newsroom is in doubt: then a reason is asked for."""
    last = {row.outlet_id: row.state for row in reversed(found)}
    return State.IN_DOUBT in last.values()


def _simulated(version: NoticeVersion) -> bool:
    return g.incident.kind == "drill" or "email" not in current_app.extensions["channels"].real


def _notice(ref: str) -> Notice:
    notice = notices.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice
