"""Challenges for passkeys: made for one purpose and one browser, taken once, within minutes."""

from typing import Any

from flask import current_app, session

from incident.domain.errors import Refused
from incident.store import passkeys as rows
from incident.store.passkeys import Place
from incident.store.users import User
from incident.web.access import now

LASTS = 300  # seconds in which an answer must come


def place() -> Place | None:
    """Where keys of this installation belong; None where browsers offer none."""
    return rows.place(current_app.extensions["settings"].base_url)


def asked(purpose: str, user: User | None) -> dict[str, Any]:
    """What a page needs to ask for a key as proof; nothing where there is none to ask for."""
    where = place()
    if where is None or (user is not None and not rows.of(user.id)):
        return {}
    return {"passkey_options": remembered(purpose, rows.to_prove(where, user))}


def remembered(purpose: str, options: str) -> str:
    """The options, their challenge kept with this browser: the cookie is signed, and each challenge counts once for a key."""
    session["passkey"] = [purpose, rows.challenge_of(options), int(now().timestamp())]
    return options


def taken(purpose: str) -> str:
    """The challenge that this browser was given for this purpose a moment ago. Raises Refused."""
    was, challenge, at = session.pop("passkey", None) or ("", "", 0)
    if was != purpose or not 0 <= int(now().timestamp()) - at <= LASTS:
        raise Refused("That took too long. Try again.")
    return str(challenge)
