"""Newer laws: what they would change in each open incident, and taking them, for one incident or for many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import law_updates as actions
from incident.actions.law_updates import Proposed
from incident.domain import editions, lawbook
from incident.domain.settlements import Difference
from incident.store import law_updates as rows
from incident.store import obligations
from incident.store.incidents import Incident
from incident.web import changes
from incident.web.access import actor, now, permit
from incident.web.incidents import visible
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("law_updates", __name__, url_prefix="/laws/updates")
one = Blueprint("law_update", __name__, url_prefix="/incidents/<incident>/law-update")

PAGE = 20


@dataclass(frozen=True)
class Update:
    """What newer laws would change in one incident, in words."""

    made: Proposed
    words: str
    lists: Sequence[tuple[str, Sequence[tuple[str, str]]]]


@bp.get("/")
@permit("duty.view")
@named(Word("What newer laws would change"))
def index() -> str:
    """The open incidents that today's laws would change, and how."""
    query = rows.pending(editions.current().digest, visible().with_only_columns(Incident.id))
    found = rows.page(query, after=request.args.get("after", 0, type=int), limit=PAGE + 1)
    page = found[:PAGE]
    made = [actions.told(row.ref, row.title, row[3].was, row[3].library, row[3].changes) for row in page]
    return render_template(
        "laws/updates.html",
        edition=editions.current(),
        updates=[_update(one) for one in made],
        more=url_for(".index", after=page[-1].id) if len(found) > PAGE else "",
        first=url_for(".index") if request.args.get("after") else "",
        waits=bool(rows.waiting(editions.current().digest, 1)),
        incident_only="",
    )


@bp.post("/accept")
@permit("duty.decide")
def accept_many() -> ResponseReturnValue:
    """Take today's laws for the incidents that were ticked, each if they change what was seen and nothing else."""
    chosen = dict(word.split(":", 1) for word in request.form.getlist("take") if ":" in word)
    mine = set(rows.refs(visible().where(Incident.ref.in_(list(chosen))).with_only_columns(Incident.ref)))
    refused = actions.accept_many({ref: seen for ref, seen in chosen.items() if ref in mine}, actor=actor(), now=now())
    taken = len(mine) - len(refused)
    if taken:
        flash(f"Taken for {taken} {'incident' if taken == 1 else 'incidents'}.", "met")
    for ref, why in refused.items():
        flash(f"{ref}: {why}", "late")
    if not chosen:
        flash("Tick at least one incident.", "soon")
    return redirect(url_for(".index"))


@one.get("/")
@permit("duty.view")
@named(Word("What newer laws would change here"))
def show(incident: str) -> str:
    """What today's laws would change in this incident."""
    made = actions.proposed(incident)
    return render_template(
        "laws/updates.html",
        edition=editions.current(),
        updates=[_update(made)] if made else [],
        more="",
        first="",
        waits=_waits(g.incident),
        incident_only=incident,
    )


def _waits(incident: Incident) -> bool:
    """Whether the incident goes by other laws than today's, and was not compared with them since it was assessed."""
    was = obligations.assessment(incident.id)
    made = editions.current().digest
    compared = rows.of(incident.id, made)
    other = incident.state == "open" and was is not None and was.library != made
    return other and (compared is None or was is None or compared.assessed_at != was.made_at)


@one.post("/accept")
@permit("duty.decide")
def accept(incident: str) -> ResponseReturnValue:
    """Take today's laws for this incident."""
    changed = actions.accept(g.incident.ref, request.form.get("seen", ""), actor=actor(), now=now())
    flash(f"This incident goes by today's laws: {changed.words()}.", "met")
    return redirect(url_for("obligations.index", incident=incident))


def _update(made: Proposed) -> Update:
    return Update(made, made.changes.words(), list(_lists(made.changes)))


def _lists(difference: Difference) -> Any:
    labels = {"owed": _("Would be owed"), "opened": _("Would be open"), **changes.WOULD}
    for word, label in labels.items():
        refs = getattr(difference, word)
        if refs:
            yield label, [(_title(ref), ref) for ref in refs]


def _title(ref: str) -> str:
    name, _, wave = ref.partition("#")
    duty = lawbook.library().duty(name)
    title = duty.title if duty else name
    return f"{title} ({wave.replace('-', ' ')})" if wave else title
