"""Filters under a name: links above each list, a page of one's own, and what the palette offers. One mechanism for all lists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import saved_filters as actions
from incident.domain.access import MEMBER
from incident.domain.errors import Invalid
from incident.domain.saved_filters import LISTS, LONGEST_NAME
from incident.exports import csv
from incident.store import saved_filters as rows
from incident.store.saved_filters import SavedFilter
from incident.web.access import actor, may, may_anywhere, me, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.pages import Page, named

bp = Blueprint("saved_filters", __name__, url_prefix="/filters")

PAGES: Final[Mapping[str, str]] = {
    # where each list stands
    "incidents.index": "incidents",
    "duties.index": "duties",
    "obligations.index": "incident-duties",
    "people.index": "people",
    "all_notices.index": "notices",
    "deliveries.people": "deliveries",
    "enquiries.index": "enquiries",
    "all_enquiries.index_of_all": "enquiries",
    "audit.index": "record",
    "record.index": "record",
}
WORDS: Final = {
    "incidents": Word("Incidents"),
    "duties": Word("Duties"),
    "incident-duties": Word("Duties of an incident"),
    "people": Word("People"),
    "notices": Word("Notices"),
    "deliveries": Word("Deliveries"),
    "enquiries": Word("Enquiries"),
    "record": Word("Record"),
}


@dataclass(frozen=True)
class Shown:
    """One filter as a link; `href` is empty where its list needs a place that is not given."""

    ref: str
    name: str
    listing: str
    shared: bool
    mine: bool
    href: str
    current: bool
    asked: Mapping[str, str]


@dataclass(frozen=True)
class Strip:
    """What stands above a list: the filters kept for it, and the one in use, ready to be kept."""

    listing: str
    found: list[Shown]
    asked: Mapping[str, str]
    back: str

    @property
    def may_keep(self) -> bool:
        """Whether the filter in use is none of those that are kept already."""
        return bool(self.asked) and not any(one.current for one in self.found)


def init(app: Flask) -> None:
    """Hands the strip to the lists, and the filters to the palette."""
    app.jinja_env.globals.update(saved_filters=strip, filters_here=offered)


def strip() -> Strip | None:
    """The filters of the list that is shown; None on any other page."""
    listing = PAGES.get(request.endpoint or "")
    if listing is None:
        return None
    asked = _asked(listing, request.args)
    found = [
        _shown(row, request.endpoint or "", request.view_args or {}, asked)
        for row in rows.of(me().id, [listing], most=actions.MOST_SHOWN)
    ]
    return Strip(listing, found, asked, request.full_path.rstrip("?"))


def offered(place: Mapping[str, Any]) -> list[Page]:
    """The reader's filters as pages: of the lists over all incidents, or of those of one incident."""
    ends = {name: listing for name, listing in PAGES.items() if _stands_at(name, set(place))}
    found = rows.of(me().id, sorted(set(ends.values())), most=actions.MOST_SHOWN) if ends else []
    return [
        Page(f"{WORDS[row.listing]}: {row.chosen().name}", _href(name, place, row.chosen().asked))
        for row in found
        for name, listing in ends.items()
        if listing == row.listing
    ]


@bp.get("/")
@permit(MEMBER)
@named(Word("Your saved filters"))
def index() -> str:
    """One's own filters: names, who sees them, and the way to their lists."""
    return _page({}, {})


@bp.get("/filters.csv")
@permit(MEMBER)
def table() -> Response:
    """The same as CSV."""
    header = ("reference", "list", "name", "filter", "shared", "changed (UTC)")
    return csv_answer(csv.rows(header, _lines()), "filters.csv")


@bp.post("/")
@permit(MEMBER)
def keep() -> ResponseReturnValue:
    """Keep the filter of a list under a name."""
    form = request.form
    listing = form.get("list", "")
    asked = {word: form.get(f"asked:{word}", "") for word in LISTS.get(listing, ()) if f"asked:{word}" in form}
    try:
        actions.keep(listing, form.get("name", ""), asked, shared="shared" in form, actor=actor(), now=now())
    except Invalid as error:
        return _page(form, {error.field: error.sentence}), 422
    flash(_("The filter is kept. It stands above its list, and among all you can do."), "met")
    return redirect(_back(form.get("back", "")))


@bp.post("/<ref>")
@permit(MEMBER)
def change(ref: str) -> ResponseReturnValue:
    """Rename one's own filter, or give it to the team."""
    form = request.form
    try:
        actions.change(ref, name=form.get("name", ""), shared="shared" in form, actor=actor(), now=now())
    except Invalid as error:
        return _page(form, {error.field: error.sentence}, ref), 422
    flash(_("Kept."), "met")
    return redirect(url_for(".index"))


@bp.post("/<ref>/delete")
@permit(MEMBER)
def delete(ref: str) -> ResponseReturnValue:
    """Delete one's own filter."""
    actions.delete(ref, actor=actor(), now=now())
    flash(_("The filter is deleted."), "met")
    return redirect(url_for(".index"))


def _page(form: Mapping[str, str], errors: Mapping[str, str], ref: str = "") -> str:
    return render_template(
        "saved_filters/list.html",
        found=[_shown(row, _page_of(row.listing), {}, {}) for row in rows.own(me().id)],
        words=WORDS,
        form=form,
        errors=errors,
        wrong=ref,
        longest=LONGEST_NAME,
    )


def _lines() -> Iterator[tuple[str, str, str, str, str, str]]:
    for row in rows.own(me().id):
        kept = row.chosen()
        said = "; ".join(f"{word}={value}" for word, value in kept.asked.items())
        yield row.ref, row.listing, kept.name, said, "yes" if row.shared else "no", row.changed_at.isoformat()


def _shown(row: SavedFilter, endpoint: str, place: Mapping[str, Any], asked: Mapping[str, str]) -> Shown:
    kept = row.chosen()
    can_open = set(place) == _arguments(endpoint)
    return Shown(
        row.ref,
        kept.name,
        row.listing,
        row.shared,
        row.user_id == me().id,
        _href(endpoint, place, kept.asked) if can_open else "",
        dict(kept.asked) == dict(asked),
        kept.asked,
    )


def _asked(listing: str, args: Mapping[str, str]) -> dict[str, str]:
    return {word: args[word].strip() for word in LISTS[listing] if args.get(word, "").strip()}


def _href(endpoint: str, place: Mapping[str, Any], asked: Mapping[str, str]) -> str:
    return url_for(endpoint, **{**asked, **place})


def _page_of(listing: str) -> str:
    """Where a list stands over all incidents, else in an incident."""
    ends = [name for name, word in PAGES.items() if word == listing]
    return next((name for name in ends if not _arguments(name)), ends[0])


def _stands_at(endpoint: str, arguments: set[str]) -> bool:
    view = current_app.view_functions[endpoint]
    return _arguments(endpoint) == arguments and (may(view) if arguments else may_anywhere(view))


def _arguments(endpoint: str) -> set[str]:
    return set(next(current_app.url_map.iter_rules(endpoint)).arguments)


def _back(path: str) -> str:
    """The list that was filtered: a path of ours, nothing else."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) <= 2_000
    return path if is_ours else url_for(".index")
