"""The page on which anybody checks a message by its code, and what they can do from there, without an account or a cookie.

A wrong code gets the answer of a stranger, to the letter, at whatever address it comes. Forms carry a signed ticket
(incident/domain/tickets.py) in place of a session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import checks, enquiring, new_addresses
from incident.actions.checks import Genuine, Twice, Wish
from incident.actions.merging import sheet_of, values_of
from incident.actions.throttled import TooMany
from incident.domain import check_codes, check_words, layouts, merges, starters, tickets
from incident.domain import enquiries as rules
from incident.domain.check_codes import Code
from incident.domain.enquiries import Kind, Terms
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.layouts import Sheet
from incident.domain.throttle import network
from incident.domain.tickets import Spoilt, TooSoon
from incident.domain.wording import PERSON
from incident.settings import Settings
from incident.store.db import new_secret_ref
from incident.web.access import now, permit
from incident.web.notice_pages import house
from incident.web.public_pages import team_may_see

bp = Blueprint("check", __name__, url_prefix="/check")

LARGEST: Final = 64 * 1024
PURPOSE: Final = "check"
WISHES: Final[Mapping[str, Kind]] = {
    "question": Kind.QUESTION,
    "call": Kind.CALL,
    "letter": Kind.LETTER,
    "not-me": Kind.NOT_ME,
    "address": Kind.NEW_ADDRESS,
}
FOR_ALL: Final = ("question", "call")
"""What is offered to whoever has the code that is everybody's."""


@dataclass(frozen=True)
class Around:
    """What surrounds every one of these pages, in its language."""

    language: str
    direction: str
    words: dict[str, Any]


@bp.get("")
@permit("public")
def front() -> ResponseReturnValue:
    """Is this message from us? Answers by the code in it, and says nothing else."""
    return answered(request.args.get("code", ""))


@bp.get("/<code>")
@permit("public")
def show(code: str) -> ResponseReturnValue:
    """The same by the address in the message, which has the code in it."""
    return answered(code)


def answered(given: str) -> Response:
    """The page for this code; an empty one asks for it."""
    if not given.strip():
        return _page("front", given="", tried=False)
    found = _found(given)
    return _stranger(given) if found is None else _genuine(given, found)


@bp.post("/<code>/read")
@permit("public")
def confirm(code: str) -> ResponseReturnValue:
    """The person whose own code it is says that they have read the notice."""
    found = _found(code)
    if found is None or found.number is None:
        return _stranger(code)
    if not _is_ours():
        return _genuine(code, found, status=409)
    try:
        checks.confirm_read(found, network=_network(), now=now())
    except TooMany:
        return _genuine(code, found, trouble="many", status=429)
    return redirect(url_for(".done", code=_written(code), wish="read", language=_asked() or None), 303)


@bp.get("/<code>/<wish>")
@permit("public")
def form(code: str, wish: str) -> ResponseReturnValue:
    """The form for one wish."""
    found = _may(code, wish)
    return _stranger(code) if found is None else _form(code, wish, found, _new_ticket())


@bp.post("/<code>/<wish>")
@permit("public")
def send(code: str, wish: str) -> ResponseReturnValue:
    """Take the wish in, or show the form again with what was written and what to mend."""
    request.max_content_length = LARGEST
    found = _may(code, wish)
    if found is None:
        return _stranger(code)
    try:
        ticket = tickets.opened(_key(), PURPOSE, request.form.get("csrf_token", ""), now=now())
        tickets.demand_paid(ticket, request.form.get("proof", ""), now=now())
        row = checks.ask(found, _wish(wish), nonce=ticket.nonce, network=_network(), terms=terms(), now=now())
    except Spoilt:
        return _form(code, wish, found, _new_ticket(), trouble="stale", status=409)
    except TooSoon as early:
        return _form(code, wish, found, ticket.text, trouble="wait", seconds=early.seconds, status=409)
    except Invalid as wrong:
        return _form(code, wish, found, ticket.text, wrong=wrong.field, status=422)
    except TooMany:
        return _form(code, wish, found, ticket.text, trouble="many", status=429)
    except Twice:
        return _form(code, wish, found, _new_ticket(), trouble="twice", status=409)
    endpoint = ".proof" if wish == "address" else ".done"
    more: dict[str, Any] = {} if wish == "address" else {"wish": wish}
    return redirect(url_for(endpoint, code=_written(code), ref=row.ref, language=_asked() or None, **more), 303)


@bp.get("/<code>/address/proof")
@permit("public")
def proof(code: str) -> ResponseReturnValue:
    """Asks for the code that was sent to the new address."""
    found = _may(code, "address")
    return _stranger(code) if found is None else _proof(code)


@bp.post("/<code>/address/proof")
@permit("public")
def prove(code: str) -> ResponseReturnValue:
    """Take that code: where it is right, the address replaces the old one."""
    request.max_content_length = LARGEST
    found = _may(code, "address")
    if found is None or found.number is None:
        return _stranger(code)
    if not _is_ours():
        return _proof(code, trouble="stale", status=409)
    try:
        checks.count(found, _network(), now())
        right = new_addresses.prove(
            found.case, found.number, request.form.get("ref", "")[:16], request.form.get("proof", "")[:40], now=now()
        )
    except TooMany:
        return _proof(code, trouble="many", status=429)
    except Refused:
        right = False
    if not right:
        return _proof(code, trouble="wrong", status=422)
    return redirect(url_for(".done", code=_written(code), wish="address", language=_asked() or None), 303)


@bp.get("/<code>/<wish>/done")
@permit("public")
def done(code: str, wish: str) -> ResponseReturnValue:
    """Says that it was taken in, and by when there is an answer."""
    found = _found(code)
    if found is None or wish not in {*WISHES, "read"}:
        return _stranger(code)
    around = _around(())
    waits = wish not in {"read", "address"}
    day = rules.promised(WISHES[wish], now(), terms()).due_at if waits else None
    ref = request.args.get("ref", "")
    return _page(
        "done",
        code=_written(code),
        said=around.words[wish.replace("-", "_")],
        ref=ref if waits and check_codes.is_enquiry(ref) else "",
        day=merges.day_words(day.astimezone(house().zone).date(), starters.words(around.language)) if day else "",
    )


# Looking up ------------------------------------------------------------------------------------------------------------


def _found(given: str) -> Genuine | None:
    """The notice of this code, if this reader may know of it: those of drills are for the team."""
    found = checks.looked_up(given, now())
    if found is not None and found.simulated and not team_may_see(found.case.id):
        return None
    return found


def _may(code: str, wish: str) -> Genuine | None:
    """The same, if the wish is offered with this code. Raises Missing for what is no wish."""
    if wish not in WISHES:
        raise Missing()
    found = _found(code)
    if found is None or (wish not in FOR_ALL and found.number is None):
        return None
    return found


def _written(code: str) -> str:
    """A code as we write it."""
    read = check_codes.read(code) or Code("")
    return read.notice if read.number is None else f"{read.notice}-{read.number}-{read.mark}"


def _wish(wish: str) -> Wish:
    given = request.form
    return Wish(
        WISHES[wish],
        given.get("text", "")[: 2 * rules.MOST_LETTERS],
        given.get("email", "")[:300],
        given.get("phone", "")[:60],
        _around(()).language,
    )


# Pages -----------------------------------------------------------------------------------------------------------------


def _stranger(given: str) -> Response:
    """The answer to every code that is not ours."""
    return _page("front", given=given[: check_codes.LONGEST], tried=True, status=404)


def _genuine(given: str, found: Genuine, *, trouble: str = "", status: int = 200) -> Response:
    tags = found.version.contents["languages"]
    around = _around(tags)
    language = _asked() if _asked() in tags else request.accept_languages.best_match(tags) or tags[0]
    offers = [wish for wish in WISHES if found.number is not None or wish in FOR_ALL]
    return _page(
        "genuine",
        around,
        code=_written(given),
        found=found,
        sheet=_sheet(found, language, around.words["left_out"]),
        shown=language,
        shown_direction=starters.words(language).direction,
        tags=[(tag, starters.named(tag)) for tag in tags],
        own=found.number is not None,
        ticket=_new_ticket(),
        trouble=around.words["trouble"].get(trouble, ""),
        status=status,
        offers=[(wish, around.words[wish.replace("-", "_")]["title"]) for wish in offers],
    )


def _sheet(found: Genuine, language: str, left_out: str) -> Sheet:
    """The approved text as it is said to everybody: where it names a person, nothing is named."""
    shared = dict(values_of(found.version, language))
    return layouts.bound(sheet_of(found.version, language), dict.fromkeys(PERSON, left_out) | shared)


def _form(
    code: str,
    wish: str,
    found: Genuine,
    ticket: str,
    *,
    trouble: str = "",
    seconds: int = 0,
    wrong: str = "",
    status: int = 200,
) -> Response:
    around = _around(())
    return _page(
        "form",
        around,
        code=_written(code),
        wish=wish,
        said=around.words[wish.replace("-", "_")],
        own=found.number is not None,
        given=request.form if request.method == "POST" else {},
        ticket=ticket,
        bits=tickets.BITS,
        trouble=around.words["trouble"][trouble].format(seconds=seconds) if trouble else "",
        wrong=wrong,
        status=status,
    )


def _proof(code: str, *, trouble: str = "", status: int = 200) -> Response:
    around = _around(())
    sentence = around.words["address"]["wrong"] if trouble == "wrong" else around.words["trouble"].get(trouble, "")
    ref = request.values.get("ref", "")
    ref = ref if check_codes.is_enquiry(ref) else ""
    return _page("proof", around, code=_written(code), ref=ref, trouble=sentence, ticket=_new_ticket(), status=status)


def _around(more: tuple[str, ...] | list[str]) -> Around:
    """The page's own words: in the language that was asked for, else in one the browser reads."""
    asked = [_asked()] if _asked() else []
    language = check_words.fitting([*asked, *(tag for tag, _ in request.accept_languages)])
    return Around(language, starters.words(language).direction, check_words.words(language))


def _asked() -> str:
    """The language in the address, if it is one that notices may have."""
    tag = request.args.get("language", "")
    return tag if tag in starters.languages() else ""


def _page(name: str, around: Around | None = None, *, status: int = 200, **values: Any) -> Response:
    around = around or _around(())
    page = make_response(
        render_template(
            f"public/check/{name}.html",
            around=around,
            words=around.words,
            house=house(),
            terms=terms(),
            tongues=[(tag, check_words.words(tag)["name"]) for tag in check_words.languages()],
            **values,
        )
    )
    page.status_code = status
    page.headers["Content-Language"] = around.language
    page.vary.add("Accept-Language")
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def terms() -> Terms:
    """What the organisation promises."""
    settings: Settings = current_app.extensions["settings"]
    return enquiring.terms(settings)


def _network() -> str:
    return network(request.remote_addr)


def _new_ticket() -> str:
    return tickets.issued(_key(), PURPOSE, nonce=new_secret_ref(), now=now())


def _is_ours() -> bool:
    """Whether the form that was sent is one that we handed out lately."""
    try:
        tickets.opened(_key(), PURPOSE, request.form.get("csrf_token", ""), now=now())
    except Spoilt:
        return False
    return True


def _key() -> bytes:
    secret = current_app.secret_key or b""
    return secret.encode() if isinstance(secret, str) else secret
