"""Ask a provider about those in doubt: a button on their list and on each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from incident.actions import lookups as actions
from incident.domain.deliveries import State
from incident.domain.lookups import WORDS, Verdict
from incident.store import lookups as rows
from incident.store.lookups import DeliveryLookup
from incident.web.access import actor, now, permit
from incident.web.languages import Word
from notifiers.contract import Channels

bp = Blueprint("lookups", __name__, url_prefix="/incidents/<incident>/sending")

TROUBLES = {
    "not_reached": Word("it could not be reached"),
    "too_many_requests": Word("it was asked too often"),
    "credentials_refused": Word("it refused our credentials"),
    "provider_trouble": Word("it was in trouble"),
    "no_activity_kept": Word("it keeps no activity for this account"),
    "too_many_to_tell": Word("it has too many messages to this address"),
}


@dataclass(frozen=True)
class Evidence:
    """One answer of a provider in ready words."""

    at: datetime
    by: str
    provider: str
    sentence: str
    made_at: datetime | None
    settles: bool


def evidence(delivery_ids: Sequence[int]) -> list[Evidence]:
    """What providers said when they were asked about these deliveries, the last answer first."""
    return [
        Evidence(one.at, one.by, one.provider, _sentence(one), one.made_at, one.verdict == Verdict.FOUND)
        for one in reversed(rows.of(delivery_ids))
    ]


def _sentence(one: DeliveryLookup) -> str:
    said = WORDS[Verdict(one.verdict)]
    if one.verdict == Verdict.UNANSWERED:
        return f"{said}: {TROUBLES.get(one.reason, 'its answer was not clear')}"
    if one.verdict == Verdict.FOUND:
        return f"{said}: {one.status}" + (f", {one.reason.replace('_', ' ')}" if one.code else "")
    return f"{said} ({one.found:,})" if one.found > 1 else said


def may_ask(channel: str, state: str) -> bool:
    """Whether somebody in doubt by this channel can be looked up here."""
    return state == State.IN_DOUBT and channel in actions.askable(_channels())


def may_ask_any() -> bool:
    """Whether any provider set up here can be asked."""
    return bool(actions.askable(_channels()))


@bp.post("/<dispatch>/look-up")
@permit("delivery.settle")
def ask(incident: str, dispatch: str) -> ResponseReturnValue:
    """Ask about the next of those in doubt."""
    asked = actions.ask(incident, dispatch, _channels(), actor=actor(), now=now())
    flash(asked.words, "met" if asked.verdicts.get(Verdict.FOUND) else "soon")
    return redirect(url_for("deliveries.people", incident=incident, dispatch=dispatch, state=State.IN_DOUBT.value))


@bp.post("/attempts/<attempt>/look-up")
@permit("delivery.settle")
def ask_one(incident: str, attempt: str) -> ResponseReturnValue:
    """Ask about one of them."""
    asked = actions.ask_one(incident, attempt, _channels(), actor=actor(), now=now())
    flash(asked.words, "met" if asked.verdicts.get(Verdict.FOUND) else "soon")
    return redirect(url_for("attempts.show", incident=incident, attempt=attempt))


def _channels() -> Channels:
    channels: Channels = current_app.extensions["channels"]
    return channels
