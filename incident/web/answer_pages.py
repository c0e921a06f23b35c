"""Pages on which whoever asked reads our answer by the code that they were shown, and writes to us again, without an account.

When a code is sent, nothing is looked up: the browser is sent on with what the code turned into, which opens the enquiry for half
an hour. A wrong code, an enquiry that was erased and no code at all get the same page in the same steps.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from incident.actions import asker_pages, throttled
from incident.actions.asker_pages import Asked
from incident.actions.throttled import TooMany
from incident.domain import answer_codes, merges, starters, tickets
from incident.domain.enquiries import State
from incident.domain.errors import Invalid, Refused
from incident.domain.tickets import Spoilt, TooSoon
from incident.web.access import now, permit
from incident.web.check_frame import LARGEST, around, asked, key, network, new_ticket, page, paid, sent_ticket
from incident.web.notice_pages import house
from incident.web.public_pages import team_may_see

bp = Blueprint("answer_pages", __name__, url_prefix="/check/answers")

HELD: Final = "answers"
OPEN_FOR: Final = timedelta(minutes=30)


@bp.get("")
@permit("public")
def front() -> ResponseReturnValue:
    """Ask for the code, or show the enquiry that it opened."""
    held = _held()
    found = _opened(held) if held else None
    if found is None:
        return page("answers", missing=held is not None, closed="closed" in request.args, trouble="")
    if found.unread:
        asker_pages.note_read(found, now=now())
    return _mine(found, added="added" in request.args)


@bp.post("")
@permit("public")
def open_() -> ResponseReturnValue:
    """Hold open what this code opens. The answer is the same for every code: nothing is looked up here."""
    request.max_content_length = LARGEST
    try:
        throttled.take("answer_code", network(), now=now())
    except TooMany:
        return page("answers", missing=False, closed=False, trouble=around().words["trouble"]["many"], status=429)
    code, at = answer_codes.read(request.form.get("code", "")), int(now().timestamp())
    session[HELD] = [code.ref, answer_codes.held(key(), code.ref, code.letters, at), at]
    return _again()


@bp.post("/add")
@permit("public")
def add() -> ResponseReturnValue:
    """Take in what they write to us again, or show the form once more with what was written and what to mend."""
    request.max_content_length = LARGEST
    held = _held()
    found = _opened(held) if held else None
    if found is None:
        return _again()
    try:
        ticket = sent_ticket(_purpose(found))
        paid(ticket)
        throttled.take("check_network", network(), now=now())
        asker_pages.write_again(found, request.form.get("text", ""), nonce=ticket.nonce, now=now())
    except (Invalid, Spoilt, TooMany, TooSoon) as error:
        return _mine(found, trouble=_trouble(error), ticket="" if isinstance(error, Spoilt) else ticket.text)
    except Refused:
        return _again()
    return _again("added")


@bp.post("/close")
@permit("public")
def close() -> ResponseReturnValue:
    """Close it on this device."""
    session.pop(HELD, None)
    return _again("closed")


def _again(word: str = "") -> ResponseReturnValue:
    said: dict[str, Any] = {word: 1} if word else {}
    return redirect(url_for(".front", language=asked() or None, **said), 303)


def _held() -> tuple[str, str, int] | None:
    """What the code that was entered turned into, for half an hour."""
    held = session.get(HELD)
    if not isinstance(held, list) or len(held) != 3 or int(now().timestamp()) - held[2] > OPEN_FOR.total_seconds():
        return None
    return str(held[0]), str(held[1]), int(held[2])


def _opened(held: tuple[str, str, int]) -> Asked | None:
    """The enquiry, if what is held comes from its code; those of drills are for the team."""
    ref, kept, at = held
    found = asker_pages.opened(ref, partial(_fits, ref, kept, at))
    if found is not None and found.case.kind == "drill" and not team_may_see(found.case.id):
        return None
    return found


def _fits(ref: str, kept: str, at: int, letters: str) -> bool:
    return answer_codes.is_held(key(), ref, letters, at, kept)


def _purpose(found: Asked) -> str:
    return f"answers:{found.row.ref}"


def _trouble(error: Refused) -> str:
    said: dict[str, str] = around().words["trouble"]
    names = {Spoilt: "stale", TooMany: "many", TooSoon: "wait", Invalid: "question"}
    return said[names[type(error)]].format(seconds=getattr(error, "seconds", 0))


def _mine(found: Asked, *, added: bool = False, trouble: str = "", ticket: str = "") -> Response:
    here = around()
    said: dict[str, str] = here.words["answers"]
    state = State(found.row.state)
    word = "longer" if state is State.OPEN and found.row.longer_at else f"state_{state}"
    return page(
        "mine",
        row=found.row,
        title=here.words[found.row.kind]["title"] if found.row.kind in here.words else said["title"],
        state=said[word].format(day=_day(found.row.due_at, here.language), ref=found.row.merged_into),
        messages=found.messages,
        full=found.full or state is State.MERGED,
        merged=state is State.MERGED,
        added=added,
        trouble=trouble,
        wrote=request.form.get("text", "") if trouble else "",
        ticket=ticket or new_ticket(_purpose(found)),
        bits=tickets.BITS,
        status=422 if trouble else 200,
    )


def _day(at: datetime, language: str) -> Any:
    return merges.day_words(at.astimezone(house().zone).date(), starters.words(language))
