"""What the pages where messages are checked and answers are read have in common: words, frame, tickets in place of a session."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Response, current_app, make_response, render_template, request

from incident.actions import enquiring
from incident.domain import check_words, starters, throttle, tickets
from incident.domain.enquiries import Terms
from incident.domain.tickets import Spoilt, Ticket
from incident.settings import Settings
from incident.store.db import new_secret_ref
from incident.web.access import now
from incident.web.notice_pages import house

LARGEST: Final = 64 * 1024
PURPOSE: Final = "check"


@dataclass(frozen=True)
class Around:
    """What surrounds every one of these pages, in its language."""

    language: str
    direction: str
    words: dict[str, Any]


def around(speaks: str = "") -> Around:
    """The page's own words: in the language that was asked for, else in one the browser reads."""
    wanted = [tag for tag in (speaks, asked()) if tag]
    language = check_words.fitting([*wanted, *(tag for tag, _ in request.accept_languages)])
    return Around(language, starters.words(language).direction, check_words.words(language))


def asked() -> str:
    """The language in the address, if it is one that notices may have."""
    tag = request.args.get("language", "")
    return tag if tag in starters.languages() else ""


def page(name: str, *, status: int = 200, speaks: str = "", **values: Any) -> Response:
    """One of these pages in its language."""
    here = around(speaks)
    made = make_response(
        render_template(
            f"public/check/{name}.html",
            around=here,
            words=here.words,
            house=house(),
            terms=terms(),
            tongues=[(tag, check_words.words(tag)["name"]) for tag in check_words.languages()],
            **values,
        )
    )
    made.status_code = status
    made.headers["Content-Language"] = here.language
    made.vary.add("Accept-Language")
    made.headers["X-Robots-Tag"] = "noindex"
    return made


def terms() -> Terms:
    """What the organisation promises."""
    settings: Settings = current_app.extensions["settings"]
    return enquiring.terms(settings)


def network() -> str:
    """The network that asks, as tries are counted by it."""
    return throttle.network(request.remote_addr)


def new_ticket(purpose: str = PURPOSE) -> str:
    """A ticket for a form that is handed out now."""
    return tickets.issued(key(), purpose, nonce=new_secret_ref(), now=now())


def paid(ticket: Ticket) -> None:
    """Raises TooSoon unless the browser worked for this form, or waited."""
    tickets.demand_paid(ticket, request.form.get("proof", ""), now=now())


def sent_ticket(purpose: str = PURPOSE) -> Ticket:
    """The ticket of the form that was sent. Raises Spoilt."""
    return tickets.opened(key(), purpose, request.form.get("csrf_token", ""), now=now())


def is_ours() -> bool:
    """Whether the form that was sent is one that we handed out lately."""
    try:
        sent_ticket()
    except Spoilt:
        return False
    return True


def key() -> bytes:
    """What signs tickets."""
    secret = current_app.secret_key or b""
    return secret.encode() if isinstance(secret, str) else secret
