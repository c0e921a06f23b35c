"""What people who work here are told by e-mail about who may do what: references and words of lists, never a title."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from incident.domain.speech import Say, english

RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))


class Kind(StrEnum):
    """What a mail is about."""

    ROLES_ASKED = "roles_asked"
    ROLES_CHANGED = "roles_changed"
    YES_LOST = "yes_lost"
    EMERGENCY = "emergency"
    REVIEW = "emergency_review"
    REPORTED = "reported"
    CHECKPOINT = "checkpoint"
    RECORD = "record_trouble"
    RECORD_KEY = "record_key"
    SIGN_ON = "sign_on"
    ODD_TRIES = "odd_tries"
    ODD_CODES = "odd_codes"
    NEW_PLACE = "new_place"
    WAYS_CHANGED = "ways_changed"
    TOKEN_ENDS = "token_ends"  # noqa: S105
    MEETING = "review_meeting"


ONES_OWN: Final = frozenset({Kind.ODD_TRIES, Kind.ODD_CODES, Kind.NEW_PLACE, Kind.WAYS_CHANGED, Kind.TOKEN_ENDS})
"""What is told to one person about their own account; the list of mails about the team leaves it out."""

THOUGH_LOCKED: Final = {Kind.YES_LOST}
"""What is also told to somebody whose account is locked: that it is."""


class State(StrEnum):
    """Where a mail stands."""

    WAITING = "waiting"
    CALLING = "calling"
    ACCEPTED = "accepted"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    NOT_SET_UP = "not_set_up"


SUBJECTS: Final = {
    Kind.ROLES_ASKED: "A role waits for a second person's yes",
    Kind.ROLES_CHANGED: "Somebody was given a role",
    Kind.YES_LOST: "Somebody can no longer say yes to roles",
    Kind.EMERGENCY: "A restricted incident was opened in an emergency",
    Kind.REVIEW: "An emergency opening waits for its review",
    Kind.REPORTED: "Somebody reported something",
    Kind.CHECKPOINT: "Checkpoint of the record, to be kept",
    Kind.RECORD: "The record is not in order",
    Kind.RECORD_KEY: "The record has a new key",
    Kind.SIGN_ON: "The single sign-on was shut or opened",
    Kind.ODD_TRIES: "Somebody tried to sign in to your account",
    Kind.ODD_CODES: "Somebody knows your password",
    Kind.NEW_PLACE: "A new sign-in to your account",
    Kind.WAYS_CHANGED: "A way into your account changed",
    Kind.TOKEN_ENDS: "An access token of yours ends soon",
    Kind.MEETING: "The review of an incident meets soon",
}
NOT_YOU: Final = (
    "\n\nIf this was not you, tell an administrator at once, by telephone or in person: they lock the account with one press.\n"
    "Then change your password. Nobody from Tocsin ever asks for it, or for a code."
)
TEXTS: Final = {
    Kind.ODD_TRIES: "Several tries to sign in to your account failed within an hour, the last at {when} (UTC). Nobody got in by them."
    + NOT_YOU,
    Kind.ODD_CODES: "Somebody gave the right password for your account, and then several wrong codes, the last at {when} (UTC). "
    "Nobody got in by them." + NOT_YOU,
    Kind.NEW_PLACE: "Somebody signed in to your account at {when} (UTC) with {device}: {what}.\n\n"
    "If this was you, nothing is to be done." + NOT_YOU,
    Kind.WAYS_CHANGED: "At {when} (UTC), {what}. Where you are signed in: {site}/account/" + NOT_YOU,
    Kind.TOKEN_ENDS: "Your access token {token} ends on {until} (UTC). The program that uses it needs another by then: {site}/account/",
    Kind.MEETING: "The review of the incident {incident} meets at {when} (UTC), and you are to take part.\n"
    "What happened, and what is asked there: {site}/incidents/{incident}/review/",
    Kind.ROLES_ASKED: "{asker} asks that {person} be given: {gained}. It counts once another administrator or lead says yes.\n\n{site}/team/rules/",
    Kind.ROLES_CHANGED: "{person} was given: {gained}. Asked for by {asker}, {second}.\n\n"
    "If you did not expect this, talk to your administrators and auditors now; the record holds every step.\n\n{site}/team/{person}",
    Kind.YES_LOST: "The account {person} is {how}, by {asker}: it can no longer say yes when somebody is to gain a role.\n\n"
    "If you did not expect this, talk to your administrators and auditors now; the record holds every step.\n\n{site}/team/{person}",
    Kind.EMERGENCY: "{person} opened a restricted incident in an emergency ({emergency}), until {until} (UTC).\n\n"
    "If you are on it: its page “team” shows the reason, and asks for a review by somebody else.\n"
    "If you did not expect this, talk to your administrators and auditors now.{where}",
    Kind.REVIEW: "{person} opened a restricted incident that you are on in an emergency ({emergency}). Nobody has reviewed that yet, "
    "and the incident cannot be closed before.{where}",
    Kind.REPORTED: "Somebody outside sent a report ({about}, {tip}). It waits to be looked at; clocks may run from when it came.\n"
    "Others that come within {minutes} minutes are in the same queue, and are not told of one by one.\n\n{site}/reported/{tip}",
    Kind.CHECKPOINT: "Keep this mail where nobody who runs Tocsin can reach it. Below is a signed statement of all {size} lines of the record.\n"
    "With it anybody can show later that none of them was changed, moved or taken out: save the lines between the rows of dashes\n"
    "as a file and give it to the check, as docs/record.md says.\n\n----------\n{note}----------\n\nThe key by which it is signed:\n{key}",
    Kind.RECORD_KEY: "The key that signs the record was {how}. Keep this mail with the checkpoints: from now on they are signed by\n\n{key}\n\n"
    "Keep the earlier key too; what it signed is checked with it. If you did not expect this, talk to your administrators now.\n\n{site}/record/",
    Kind.RECORD: "A look at the record found it changed by other ways than Tocsin:\n\n{troubles}\n\n"
    "Change nothing. Keep a copy of the database and of the instance folder, compare with a checkpoint that was kept elsewhere,\n"
    "and talk to your auditors. Nothing is signed until this is settled.\n\n{site}/record/",
    Kind.SIGN_ON: "The single sign-on of this installation was {what}, by {person}. Addresses, passwords and second factors work as ever.\n\n"
    "If you did not expect this, talk to your administrators and auditors now.\n\n{site}/team/rules/",
}


def words(kind: Kind, about: Mapping[str, Any], *, site: str, say: Say = english) -> tuple[str, str]:
    """Return subject and text as `say` puts them. People stand in it by their references: a mail leaves the house."""
    where = f"\n\n{site}/incidents/{about['incident']}/team/" if about.get("incident") else ""
    given = {name: _word(value) for name, value in about.items()}
    return say(SUBJECTS[kind]), say(TEXTS[kind], site=site, where=where, **given) + "\n\nTocsin"


def _word(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def again_after(tries: int, wait: float | None) -> timedelta | None:
    """Return how long to wait before the next try; None when there is none."""
    if tries > len(RETRIES):
        return None
    return max(RETRIES[tries - 1], timedelta(seconds=min(wait or 0, 3600)))
