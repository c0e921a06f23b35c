"""Pages on which anybody reports something, without an account and without saying who they are, and reads our answers.

A form carries a signed ticket (incident/domain/tickets.py), which is also what stops other sites from sending it; so these
pages need no cookie but the one that holds a report open for half an hour.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from incident.actions import throttled, tips
from incident.actions.throttled import TooMany
from incident.actions.tips import Conversation, Upload
from incident.domain import tickets, tip_words
from incident.domain import tips as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.throttle import network
from incident.domain.tickets import Spoilt, TooSoon
from incident.domain.tips import FIELDS, Kind, Sort, Unfit, Way
from incident.exports.cvss import scored
from incident.settings import Settings
from incident.store.db import new_secret_ref
from incident.web.access import now, permit
from incident.web.notice_pages import house

bp = Blueprint("tip_pages", __name__, url_prefix="/report")

LARGEST: Final = rules.MOST_FILES * rules.LARGEST_FILE + 2**20
FOLLOW: Final = "follow"
OPEN_FOR: Final = timedelta(minutes=30)
REPORT: Final = "report"
OFFSETS: Final = tuple(
    f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    for minutes in sorted({*range(-720, 841, 60), -570, -210, 210, 270, 330, 345, 390, 525, 570, 630, 765})
)


@bp.get("")
@permit("public")
def start() -> ResponseReturnValue:
    """What one can report, in the language that the browser asks for."""
    return _start(tip_words.fitting(tag for tag, _ in request.accept_languages))


@bp.get("/<language>")
@permit("public")
def start_in(language: str) -> ResponseReturnValue:
    """The same in the language of the address."""
    return _start(_known(language))


def _start(language: str) -> Response:
    page = _page("start", language, harbour=_settings().safe_harbour, kinds=list(Kind))
    page.vary.add("Accept-Language")
    return page


@bp.get("/<language>/<kind>")
@permit("public")
def form(language: str, kind: str) -> ResponseReturnValue:
    """The questions about one kind of thing."""
    return _form(_known(language), _kind(kind), {}, _new_ticket(REPORT))


@bp.post("/<language>/<kind>")
@permit("public")
def send(language: str, kind: str) -> ResponseReturnValue:
    """Take the report in, and show its code this once; or the form again, with what was written and what to mend."""
    language, of = _known(language), _kind(kind)
    try:
        given = _given()
        uploads = _uploads()
    except RequestEntityTooLarge:
        return _form(language, of, {}, _new_ticket(REPORT), errors={"files": "files"}, status=413)
    return _taken_in(language, of, given, uploads)


def _taken_in(language: str, of: Kind, given: Mapping[str, str], uploads: list[Upload]) -> ResponseReturnValue:
    words = tip_words.words(language)
    try:
        said = _told(of, given)
        nonce = _paid(REPORT)
        throttled.take("tip", network(request.remote_addr), now=now())
        received = tips.receive(
            of, said, language=language, way=Way.PAGE, form=nonce, uploads=uploads,
            folder=_settings().instance / "files", actor=tips.OUTSIDE, now=now(),
        )  # fmt: skip
    except Unfit as error:
        return _form(language, of, given, _sent_ticket(), errors={error.field: error.code}, status=422)
    except TooSoon as soon:
        return _form(
            language, of, given, _sent_ticket(), trouble=words["too_soon"].format(seconds=soon.seconds), status=422
        )
    except Spoilt:
        return _form(language, of, given, _new_ticket(REPORT), trouble=words["spoilt"], status=422)
    except TooMany as many:
        page = _form(language, of, given, _sent_ticket(), trouble=words["too_many"], status=429)
        page.headers["Retry-After"] = str(max(1, int((many.until - now()).total_seconds())))
        return page
    return _page("sent", language, code=received.code)


def _told(of: Kind, given: Mapping[str, str]) -> dict[str, Any]:
    """What was said, checked. Raises Unfit."""
    said = rules.told(of, given, offset=given.get("offset", "+00:00"), now=now())
    if "vector" in said:
        try:
            said["vector"] = scored(said["vector"]).vector
        except Invalid as error:
            raise Unfit("vector", "vector", error.sentence) from None
    return said


@bp.get("/<language>/follow-up")
@permit("public")
def follow(language: str) -> ResponseReturnValue:
    """Ask for the code, or show the report that it opened."""
    language = _known(language)
    key = _opened_key()
    found = tips.conversation(key) if key else None
    if found is None or key is None:
        return _page("follow", language, missing=bool(key), closed="closed" in request.args)
    said = _in_words(found)
    return _page(
        "mine",
        language,
        found=found,
        said=said,
        ticket=_new_ticket(key),
        added="added" in request.args,
        seconds=int(tickets.WAIT.total_seconds()),
    )


@bp.post("/<language>/follow-up")
@permit("public")
def open_report(language: str) -> ResponseReturnValue:
    """Hold open what this code opens. The answer is the same for every code: nothing is looked up here."""
    language = _known(language)
    request.max_content_length = 2**16
    throttled.take("tip_code", network(request.remote_addr), now=now())
    session[FOLLOW] = [tips.opened_by(request.form.get("code", "")), int(now().timestamp())]
    return redirect(url_for(".follow", language=language), 303)


@bp.post("/<language>/follow-up/add")
@permit("public")
def add(language: str) -> ResponseReturnValue:
    """Add something to the report that is open."""
    language = _known(language)
    request.max_content_length = 2**18
    key, words = _opened_key(), request.form.get("text", "")
    if key is None:
        return redirect(url_for(".follow", language=language), 303)
    try:
        nonce = _paid(key)
        throttled.take("tip", network(request.remote_addr), now=now())
        tips.add(key, words, form=nonce, now=now())
    except (Unfit, TooSoon, Spoilt, TooMany) as error:
        return _mine_again(language, key, words, error)
    except Refused:
        return redirect(url_for(".follow", language=language), 303)
    return redirect(url_for(".follow", language=language, added=1), 303)


def _mine_again(language: str, key: str, wrote: str, error: Refused) -> Response:
    """The page of the report once more, with what was written and why it was not taken."""
    words = tip_words.words(language)
    trouble = {
        TooSoon: words["too_soon"].format(seconds=getattr(error, "seconds", 0)),
        Spoilt: words["spoilt"],
        TooMany: words["too_many"],
        Unfit: words["errors"].get(getattr(error, "code", ""), ""),
    }[type(error)]
    found = tips.conversation(key)
    if found is None:
        return _page("follow", language, missing=True, closed=False)
    ticket = _new_ticket(key) if isinstance(error, Spoilt) else _sent_ticket()
    page = _page(
        "mine", language, found=found, said=_in_words(found), ticket=ticket, wrote=wrote[:rules.LONGEST_TEXT], trouble=trouble,
        seconds=int(tickets.WAIT.total_seconds()),
    )  # fmt: skip
    page.status_code = 422
    return page


def _in_words(found: Conversation) -> list[tuple[str, Any]]:
    """What was said by field, in the form's order, times as UTC."""
    told = [(field, found.said[field.name]) for field in FIELDS[Kind(found.kind)] if field.name in found.said]
    return [
        (field.name, value[:16].replace("T", " ") if field.sort is Sort.INSTANT else value) for field, value in told
    ]


@bp.post("/<language>/follow-up/close")
@permit("public")
def close(language: str) -> ResponseReturnValue:
    """Close the report on this device."""
    session.pop(FOLLOW, None)
    return redirect(url_for(".follow", language=_known(language), closed=1), 303)


def _opened_key() -> str | None:
    """What the code that was entered turned into, for half an hour."""
    held = session.get(FOLLOW)
    if not isinstance(held, list) or len(held) != 2 or int(now().timestamp()) - held[1] > OPEN_FOR.total_seconds():
        return None
    return str(held[0])


def _known(language: str) -> str:
    if language not in tip_words.languages():
        raise Missing()
    return language


def _kind(word: str) -> Kind:
    if word not in set(Kind):
        raise Missing()
    return Kind(word)


def _given() -> dict[str, str]:
    request.max_content_length = LARGEST
    return request.form.to_dict()


def _uploads() -> list[Upload]:
    return [Upload(one.filename, one.stream) for one in request.files.getlist("files") if one.filename]


def _key() -> bytes:
    secret = current_app.secret_key or b""
    return secret.encode() if isinstance(secret, str) else secret


def _new_ticket(purpose: str) -> str:
    return tickets.issued(_key(), purpose, nonce=new_secret_ref(), now=now())


def _sent_ticket() -> str:
    """The ticket of this form again: it was not used, and its time goes on."""
    return request.form.get("csrf_token", "")


def _paid(purpose: str) -> str:
    """The nonce of the ticket that came with this form, paid for. Raises Spoilt, TooSoon."""
    ticket = tickets.opened(_key(), purpose, _sent_ticket(), now=now())
    tickets.demand_paid(ticket, request.form.get("proof", ""), now=now())
    return ticket.nonce


def _form(
    language: str,
    of: Kind,
    given: Mapping[str, str],
    ticket: str,
    *,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    status: int = 200,
) -> Response:
    page = _page(
        "form",
        language,
        kind=of,
        fields=FIELDS[of],
        given=given,
        errors=errors or {},
        trouble=trouble,
        ticket=ticket,
        bits=tickets.BITS,
        offsets=OFFSETS,
        offset=given.get("offset") or _offset_here(now()),
        most=rules.MOST_FILES,
        largest=rules.LARGEST_FILE,
        megabytes=rules.LARGEST_FILE // 2**20,
        seconds=int(tickets.WAIT.total_seconds()),
    )
    page.status_code = status
    return page


def _offset_here(at: datetime) -> str:
    """The offset from UTC that holds now where the organisation is."""
    length = house().zone.utcoffset(at) or timedelta(0)
    minutes = int(length.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _page(name: str, language: str, **values: Any) -> Response:
    """A page of these in its language; the addresses of its other languages come along."""
    route = {"start": "start_in", "form": "form", "sent": "start_in"}.get(name, "follow")
    place = {"kind": values["kind"].value} if name == "form" else {}
    others = [
        (tag, tip_words.words(tag)["name"], url_for(f".{route}", language=tag, **place))
        for tag in tip_words.languages()
    ]
    values = {"bits": tickets.BITS, **values}
    page = make_response(
        render_template(
            f"public/report/{name}.html",
            words=tip_words.words(language),
            language=language,
            others=others,
            house=house(),
            **values,
        )
    )
    page.headers["Content-Language"] = language
    return page


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
