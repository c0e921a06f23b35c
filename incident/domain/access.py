"""Who may do what: the roles, and for each permit the roles that hold it. What is not listed is not allowed."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a person is here for. One person may hold several; none of them implies another."""

    RESPONDER = "responder"
    LEAD = "lead"
    PRIVACY = "privacy"
    COMMUNICATIONS = "communications"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


MEANING: dict[Role, str] = {
    Role.RESPONDER: "logs what happened, takes and finishes steps, attaches evidence",
    Role.LEAD: "leads incidents: assigns, grades, decides, closes",
    Role.PRIVACY: "decides which laws apply, what notices must say, and files reports",
    Role.COMMUNICATIONS: "writes the texts and sends what was approved",
    Role.APPROVER: "gives the second yes before anything reaches people",
    Role.AUDITOR: "reads everything, changes nothing, verifies the record",
    Role.ADMINISTRATOR: "looks after accounts, keys, channels and backups; sees no incident by that",
}

PUBLIC = "public"  # anyone, without an account
SIGNED = "signed"  # anyone who holds the sender's signature; the view checks it
OWN = "own"  # signed in with a password; only what completes the sign-in
MEMBER = "member"  # signed in with both factors
SPECIAL = frozenset({PUBLIC, SIGNED, OWN, MEMBER})

CASE_TEAM = frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS, Role.APPROVER})
READERS = CASE_TEAM | {Role.AUDITOR}

# One line a permit, by noun. A permit that an auditor holds is for reading alone; a test walks the routes.
PERMITS: dict[str, frozenset[Role]] = {
    "administration.view": frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    "alert.change": frozenset({Role.ADMINISTRATOR}),
    "announcement.publish": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "announcement.take_down": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS, Role.APPROVER}),
    "ask.make": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "ask.view": READERS,
    "call.make": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "channel.test": frozenset({Role.ADMINISTRATOR, Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "channel.view": frozenset({Role.ADMINISTRATOR, Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS, Role.AUDITOR}),
    "closing.view": READERS,
    "delivery.care": CASE_TEAM,
    "delivery.settle": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "drill.answer": CASE_TEAM,
    "drill.run": frozenset({Role.LEAD, Role.PRIVACY}),
    "drill.view": READERS,
    "duty.decide": frozenset({Role.LEAD, Role.PRIVACY}),
    "duty.own": CASE_TEAM,
    "duty.view": READERS,
    "emergency.open": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "emergency.review": frozenset({Role.LEAD, Role.PRIVACY}),
    "enquiry.answer": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "enquiry.view": READERS,
    "erasure.agree": frozenset({Role.LEAD, Role.PRIVACY}),
    "erasure.view": READERS,
    "evidence.change": CASE_TEAM,
    "evidence.copy": CASE_TEAM,
    "evidence.view": READERS,
    "fact.view": READERS,
    "grade.choose": frozenset({Role.LEAD, Role.PRIVACY}),
    "grade.view": READERS,
    "guest.invite": frozenset({Role.LEAD, Role.PRIVACY}),
    "hold.lift": frozenset({Role.PRIVACY}),
    "hold.place": frozenset({Role.LEAD, Role.PRIVACY}),
    "improvement.change": CASE_TEAM,
    "improvement.view": READERS,
    "incident.bundle": frozenset({Role.LEAD, Role.PRIVACY}),
    "incident.change": CASE_TEAM,
    "incident.close": frozenset({Role.LEAD}),
    "incident.lead": frozenset({Role.LEAD, Role.PRIVACY}),
    "incident.log": CASE_TEAM,
    "incident.restrict": frozenset({Role.LEAD, Role.PRIVACY}),
    "incident.review": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "incident.view": READERS,
    "lesson.decide": frozenset({Role.LEAD, Role.PRIVACY}),
    "lesson.propose": CASE_TEAM,
    "lesson.view": READERS,
    "letter.print": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "letter.return": CASE_TEAM,
    "mailbox.read": CASE_TEAM,
    "measures.view": READERS,
    "media.send": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "member.add": frozenset({Role.LEAD, Role.PRIVACY}),
    "member.let_in": frozenset({Role.ADMINISTRATOR}),
    "member.remove": frozenset({Role.LEAD, Role.PRIVACY}),
    "member.view": READERS,
    "notice.approve": frozenset({Role.APPROVER}),
    "notice.draft": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "notice.send": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "notice.send_back": frozenset({Role.LEAD, Role.PRIVACY, Role.APPROVER}),
    "notice.view": READERS,
    "notice.withdraw": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "organisation.change": frozenset({Role.ADMINISTRATOR}),
    "outlet.change": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "outlet.view": READERS,
    "people.change": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "people.erase": frozenset({Role.PRIVACY}),
    "people.import": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "people.prove": frozenset({Role.LEAD, Role.PRIVACY}),
    "people.reveal": frozenset({Role.LEAD, Role.PRIVACY}),
    "people.view": READERS,
    "plan.activate": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "plan.view": READERS,
    "preflight.ask": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS, Role.APPROVER}),
    "privilege.export": frozenset({Role.PRIVACY}),
    "privilege.mark": frozenset({Role.LEAD, Role.PRIVACY}),
    "privilege.view": READERS,
    "readiness.view": frozenset(Role),
    "record.export": frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    "record.rekey": frozenset({Role.ADMINISTRATOR}),
    "record.sign": frozenset({Role.LEAD, Role.PRIVACY, Role.ADMINISTRATOR}),
    "record.view": frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    "remedy.change": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "remedy.view": READERS,
    "report.export": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "report.file": frozenset({Role.LEAD, Role.PRIVACY}),
    "report.prepare": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "report.view": READERS,
    "retention.change": frozenset({Role.PRIVACY}),
    "retention.view": READERS,
    "review.view": READERS,
    "roles.confirm": frozenset({Role.ADMINISTRATOR, Role.LEAD}),
    "sending.freeze": frozenset({Role.LEAD, Role.PRIVACY, Role.ADMINISTRATOR}),
    "sending.pause": CASE_TEAM,
    "sending.release": frozenset({Role.ADMINISTRATOR}),
    "sending.steer": frozenset({Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS}),
    "sending.view": READERS,
    "sign_on.open": frozenset({Role.ADMINISTRATOR}),
    "sign_on.shut": frozenset({Role.LEAD, Role.PRIVACY, Role.ADMINISTRATOR}),
    "step.change": CASE_TEAM,
    "team.change": frozenset({Role.ADMINISTRATOR}),
    "team.invite": frozenset({Role.ADMINISTRATOR}),
    "team.view": frozenset(Role),
    "timeline.view": READERS,
    "tip.triage": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY}),
    "tip.view": frozenset({Role.RESPONDER, Role.LEAD, Role.PRIVACY, Role.AUDITOR}),
    "vulnerability.change": CASE_TEAM,
    "vulnerability.view": READERS,
    "webhook.change": frozenset({Role.ADMINISTRATOR}),
}

PRIVILEGED = "privileged"
PARTS: dict[str, frozenset[str]] = {
    # what a guest of an incident may be let into, and the permits that it gives there; none of them changes a decision
    "overview": frozenset({"incident.view"}),
    "facts": frozenset({"fact.view", "grade.view"}),
    "timeline": frozenset({"timeline.view"}),
    "evidence": frozenset({"evidence.view", "evidence.copy"}),
    "bring_evidence": frozenset({"evidence.view", "evidence.change"}),
    "duties": frozenset({"duty.view", "plan.view"}),
    "notices": frozenset({"notice.view"}),
    "reports": frozenset({"report.view"}),
    PRIVILEGED: frozenset({"privilege.view"}),
}
ALWAYS = "overview"


def guest_may(permit: str, parts: Iterable[str]) -> bool:
    """Whether a guest who was let into these parts of an incident holds the permit there."""
    return any(permit in PARTS.get(part, frozenset()) for part in {ALWAYS, *parts})


def in_words(permits: Iterable[str]) -> list[tuple[str, str]]:
    """Permits as people read them: each noun with what may be done with it, both in the order of the alphabet."""
    found: dict[str, list[str]] = {}
    for permit in sorted(permits):
        noun, _, verb = permit.partition(".")
        found.setdefault(noun.replace("_", " "), []).append(verb.replace("_", " "))
    return [(noun, ", ".join(verbs)) for noun, verbs in found.items()]


def held_by(role: Role) -> list[str]:
    """The permits of one role."""
    return [permit for permit, roles in PERMITS.items() if role in roles]


class Scope(StrEnum):
    """What a program's token may do of what its owner may."""

    READ = "read"
    WRITE = "write"


def token_may(scope: str, permit: str, method: str) -> bool:
    """Whether a token of this scope may make the call: one that reads may ask, also by POST where the permit is to look."""
    return scope == Scope.WRITE or method in {"GET", "HEAD"} or permit.endswith(".view")


def may(permit: str, roles: Iterable[str]) -> bool:
    """Whether somebody with these roles holds the permit. An unknown permit is held by nobody."""
    return not PERMITS.get(permit, frozenset()).isdisjoint(roles)


def visible(*, restricted: bool, roles: Iterable[str], is_member: bool) -> bool:
    """Whether an incident exists for this reader: a restricted one does for its members and for auditors only."""
    held = set(roles)
    if not may("incident.view", held):
        return False
    return not restricted or is_member or Role.AUDITOR in held
