"""Whom no channel of a sending reached, and the notice in public that laws allow in their place."""

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from incident.actions import shortfall
from incident.domain import deliveries as rules
from incident.domain import places
from incident.domain.deliveries import State
from incident.domain.errors import Missing
from incident.domain.facts import vocabulary
from incident.store import dispatches
from incident.store.dispatches import Dispatch
from incident.web.access import actor, now, permit
from incident.web.deliveries import board_of
from incident.web.languages import Word

bp = Blueprint("shortfalls", __name__, url_prefix="/incidents/<incident>/sending")

TRUTHS = {"yes": (Word("allowed"), "met"), "open": (Word("open"), "open"), "no": (Word("not as things stand"), "idle")}


@bp.get("/<dispatch>/unreached")
@permit("sending.view")
def show(incident: str, dispatch: str) -> str:
    """The figures, what each law says, and the way to an announcement."""
    row = _found(dispatch)
    found = shortfall.of(g.incident.id, row)
    return render_template(
        "deliveries/shortfall.html",
        board=board_of(row),
        found=found,
        states=[
            (
                rules.WORDS[State(word)],
                count,
                url_for("deliveries.people", incident=incident, dispatch=dispatch, state=word),
            )
            for word, count in found.states.items()
        ],
        where=[(places.named(place) if place else "place not known", count) for place, count in found.places],
        truths=TRUTHS,
        labels={
            key: vocabulary()[key].label if key in vocabulary() else key
            for offer in found.offers
            for key in offer.wants
        },
    )


@bp.post("/<dispatch>/unreached/announcement")
@permit("notice.draft")
def announce(incident: str, dispatch: str) -> ResponseReturnValue:
    """Draft the announcement from the notice that was sent."""
    ref = shortfall.announce(incident, dispatch, actor=actor(), now=now())
    flash("A draft of the announcement stands here. It needs a second person's approval like any other.", "met")
    return redirect(url_for("notices.show", incident=incident, ref=ref))


def _found(ref: str) -> Dispatch:
    row = dispatches.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    return row
