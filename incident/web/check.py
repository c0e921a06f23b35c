"""The page on which anybody checks a message by its code, and what they can do from there, without an account or a cookie.

A wrong code gets the answer of a stranger, to the letter, at whatever address it comes. Forms carry a signed ticket
(incident/domain/tickets.py) in place of a session.
"""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import asker_pages, checks, new_addresses
from incident.actions.checks import Genuine, Twice, Wish
from incident.actions.merging import sheet_of, values_of
from incident.actions.throttled import TooMany
from incident.domain import check_codes, layouts, merges, starters, tickets
from incident.domain import enquiries as rules
from incident.domain.check_codes import Code
from incident.domain.enquiries import Kind
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.layouts import Sheet
from incident.domain.tickets import Spoilt, TooSoon
from incident.domain.wording import PERSON
from incident.store.enquiries import Enquiry
from incident.web.access import now, permit
from incident.web.check_frame import (
    LARGEST,
    around,
    asked,
    is_ours,
    network,
    new_ticket,
    page,
    paid,
    sent_ticket,
    terms,
)
from incident.web.notice_pages import house
from incident.web.public_pages import team_may_see

bp = Blueprint("check", __name__, url_prefix="/check")

WISHES: Final[Mapping[str, Kind]] = {
    "question": Kind.QUESTION,
    "call": Kind.CALL,
    "letter": Kind.LETTER,
    "not-me": Kind.NOT_ME,
    "address": Kind.NEW_ADDRESS,
}
FOR_ALL: Final = ("question", "call")
"""What is offered to whoever has the code that is everybody's."""


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
        return page("front", given="", tried=False)
    found = _found(given)
    return _stranger(given) if found is None else _genuine(given, found)


@bp.post("/<code>/read")
@permit("public")
def confirm(code: str) -> ResponseReturnValue:
    """The person whose own code it is says that they have read the notice."""
    found = _found(code)
    if found is None or found.number is None:
        return _stranger(code)
    if not is_ours():
        return _genuine(code, found, status=409)
    try:
        checks.confirm_read(found, network=network(), now=now())
    except TooMany:
        return _genuine(code, found, trouble="many", status=429)
    return redirect(url_for(".done", code=_written(code), wish="read", language=asked() or None), 303)


@bp.get("/<code>/<wish>")
@permit("public")
def form(code: str, wish: str) -> ResponseReturnValue:
    """The form for one wish."""
    found = _may(code, wish)
    return _stranger(code) if found is None else _form(code, wish, found, new_ticket())


@bp.post("/<code>/<wish>")
@permit("public")
def send(code: str, wish: str) -> ResponseReturnValue:
    """Take the wish in, or show the form again with what was written and what to mend."""
    request.max_content_length = LARGEST
    found = _may(code, wish)
    if found is None:
        return _stranger(code)
    try:
        ticket = sent_ticket()
        paid(ticket)
        row = checks.ask(found, _wish(wish), nonce=ticket.nonce, network=network(), terms=terms(), now=now())
    except Spoilt:
        return _form(code, wish, found, new_ticket(), trouble="stale", status=409)
    except TooSoon as early:
        return _form(code, wish, found, ticket.text, trouble="wait", seconds=early.seconds, status=409)
    except Invalid as wrong:
        return _form(code, wish, found, ticket.text, wrong=wrong.field, status=422)
    except TooMany:
        return _form(code, wish, found, ticket.text, trouble="many", status=429)
    except Twice as again:
        if again.known is None or wish == "address":
            return _form(code, wish, found, new_ticket(), trouble="twice", status=409)
        return _taken(code, wish, again.known, again=True)
    if wish == "address":
        return redirect(url_for(".proof", code=_written(code), ref=row.ref, language=asked() or None), 303)
    return _taken(code, wish, row)


def _taken(code: str, wish: str, row: Enquiry, *, again: bool = False) -> Response:
    """Says that it was taken in and by when there is an answer, with the code to read it by: it stands in no address."""
    here = around()
    day = row.due_at.astimezone(house().zone).date()
    return page(
        "done",
        code=_written(code),
        said=here.words[wish.replace("-", "_")],
        again=again,
        answers=asker_pages.code_of(row),
        ref=row.ref,
        day=merges.day_words(day, starters.words(here.language)),
    )


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
    if not is_ours():
        return _proof(code, trouble="stale", status=409)
    try:
        checks.count(found, network(), now())
        right = new_addresses.prove(
            found.case, found.number, request.form.get("ref", "")[:16], request.form.get("proof", "")[:40], now=now()
        )
    except TooMany:
        return _proof(code, trouble="many", status=429)
    except Refused:
        right = False
    if not right:
        return _proof(code, trouble="wrong", status=422)
    return redirect(url_for(".done", code=_written(code), wish="address", language=asked() or None), 303)


@bp.get("/<code>/<wish>/done")
@permit("public")
def done(code: str, wish: str) -> ResponseReturnValue:
    """Says that reading was noted, or that the new address holds from now on."""
    found = _found(code)
    if found is None or wish not in {"read", "address"}:
        return _stranger(code)
    return page("done", code=_written(code), said=around().words[wish], ref="", day="")


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
        around().language,
    )


# Pages -----------------------------------------------------------------------------------------------------------------


def _stranger(given: str) -> Response:
    """The answer to every code that is not ours."""
    return page("front", given=given[: check_codes.LONGEST], tried=True, status=404)


def _genuine(given: str, found: Genuine, *, trouble: str = "", status: int = 200) -> Response:
    tags = found.version.contents["languages"]
    here = around()
    language = asked() if asked() in tags else request.accept_languages.best_match(tags) or tags[0]
    offers = [wish for wish in WISHES if found.number is not None or wish in FOR_ALL]
    return page(
        "genuine",
        code=_written(given),
        found=found,
        sheet=_sheet(found, language, here.words["left_out"]),
        shown=language,
        shown_direction=starters.words(language).direction,
        tags=[(tag, starters.named(tag)) for tag in tags],
        own=found.number is not None,
        ticket=new_ticket(),
        trouble=here.words["trouble"].get(trouble, ""),
        status=status,
        offers=[(wish, here.words[wish.replace("-", "_")]["title"]) for wish in offers],
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
    here = around()
    return page(
        "form",
        code=_written(code),
        wish=wish,
        said=here.words[wish.replace("-", "_")],
        own=found.number is not None,
        given=request.form if request.method == "POST" else {},
        ticket=ticket,
        bits=tickets.BITS,
        trouble=here.words["trouble"][trouble].format(seconds=seconds) if trouble else "",
        wrong=wrong,
        status=status,
    )


def _proof(code: str, *, trouble: str = "", status: int = 200) -> Response:
    here = around()
    sentence = here.words["address"]["wrong"] if trouble == "wrong" else here.words["trouble"].get(trouble, "")
    ref = request.values.get("ref", "")
    ref = ref if check_codes.is_enquiry(ref) else ""
    return page("proof", code=_written(code), ref=ref, trouble=sentence, ticket=new_ticket(), status=status)
