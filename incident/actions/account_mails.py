"""Tell people by e-mail what happens around their own account: odd tries, a new place, changed ways in, a token that ends.

A mail of one kind goes at most once an hour to one person, so that nobody is flooded by a guesser. Changes of different
things are different kinds in this: a harmless one never hides another.
"""

from datetime import datetime, timedelta
from typing import Final

from incident.actions import team_mails
from incident.actions.ledger import Ledger, minute, transaction
from incident.domain import account_mails as rules
from incident.domain.team_mails import Kind
from incident.store import credentials, throttle, users
from incident.store import separation as rows
from incident.store.users import Session, User

ACTOR: Final = "system"
CONNECTED: Final = "your account was connected to the single sign-on"


def tried(user_ref: str, limit: str, now: datetime) -> None:
    """Count a try that failed, of an account that may not be there; tell its owner when they are too many."""
    many = throttle.take([(limit, credentials.counting_key(limit, user_ref))], now)
    user = users.by_ref(user_ref) if many is not None else None
    if user is None or not user.active or _was_told(user, rules.TRIED[limit], "", now):
        return
    with transaction(ACTOR, now) as ledger:
        told = team_mails.tell([user], rules.TRIED[limit], {"when": minute(now)}, ledger)
        ledger.write("account.warned", user.ref, kind=rules.TRIED[limit].value, told=told)


def changed(user: User, what: str, ledger: Ledger) -> None:
    """Have the owner told that a way into their account changed, inside the caller's transaction."""
    if not _was_told(user, Kind.WAYS_CHANGED, what, ledger.now):
        team_mails.tell([user], Kind.WAYS_CHANGED, {"what": what, "when": minute(ledger.now)}, ledger)


def signed_in(row: Session, ledger: Ledger) -> None:
    """Have the owner told where somebody signs in with a browser or from a network that the account never knew."""
    odd = rules.unknown(row.device, row.place, users.places_of(row.user_id, but=row.id))
    if odd and not _was_told(row.user, Kind.NEW_PLACE, odd, ledger.now):
        about = {"what": odd, "device": row.device, "when": minute(ledger.now)}
        team_mails.tell([row.user], Kind.NEW_PLACE, about, ledger)


def ending(now: datetime) -> list[str]:
    """References of tokens that end soon and whose owners were not told."""
    found = {token.ref: token.user_id for token in users.tokens_ending(now, within=rules.TOKEN_NOTICE)}
    told = rows.mails_about(found.values(), Kind.TOKEN_ENDS.value, since=now - 2 * rules.TOKEN_NOTICE) if found else []
    return sorted(found.keys() - {mail.about["token"] for mail in told})


def remind(ref: str, now: datetime) -> None:
    """Tell the owner of a token that it ends soon: once."""
    with transaction(ACTOR, now) as ledger:
        token = users.token_by_ref(ref, locked=True)
        if token is None or not token.user.active or ref not in ending(now):
            ledger.unchanged()
            return
        about = {"token": ref, "until": f"{token.expires_at:%Y-%m-%d %H:%M}"}
        ledger.write("token.reminded", ref, told=team_mails.tell([token.user], Kind.TOKEN_ENDS, about, ledger))


def _was_told(user: User, kind: Kind, what: str, now: datetime) -> bool:
    mails = rows.mails_about([user.id], kind.value, since=now - timedelta(hours=1))
    return any(mail.about.get("what", "") == what for mail in mails)
