"""Separation of duties: what one person alone may not do here, as this installation has decided, and what holds everywhere."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused

CONFIRMERS: Final = (Role.ADMINISTRATOR, Role.LEAD)
"""Who can give the second yes to a role; never whoever asked for it, and never whoever gains it."""
REVIEW_WITHIN: Final = timedelta(hours=72)
SHORTEST_REASON, LONGEST_WORDS = 10, 2_000
REQUEST_LASTS: Final = timedelta(days=14)


@dataclass(frozen=True)
class Policy:
    """What this installation has set; the defaults hold where nothing is."""

    roles_by_two: bool = True
    release_by_third: bool = False
    emergency_hours: int = 4
    strict_codes: bool = False
    lessons_by_two: bool = True

    def to_json(self) -> dict[str, bool | int]:
        """Return the policy as plain values, as it is kept and recorded."""
        return asdict(self)

    def sentences(self) -> tuple[str, ...]:
        """Return the policy in words, for the people it binds."""
        return (
            "Whoever writes, changes or submits a notice never approves it.",
            "Whoever approves a notice may not start its sending either: a third person does."
            if self.release_by_third
            else "Whoever wrote or approved a notice may also start its sending, as it was approved.",
            "A role is gained by two people: one asks for it, another administrator or lead says yes; all leads are told."
            if self.roles_by_two
            else "One administrator alone gives roles; all leads are told. Nobody makes themselves an approver or an auditor.",
            "Being an administrator gives no right to see, write, approve or send anything in an incident.",
            "A code of a generator is good for its 30 seconds alone."
            if self.strict_codes
            else "A code of a generator is also taken half a minute early or late, for clocks that differ; once.",
            "A lesson that changes a playbook, a text or a law is accepted by somebody else than who proposed it."
            if self.lessons_by_two
            else "Whoever proposed a lesson may also adopt it.",
            f"A restricted incident can be opened in an emergency for {self.emergency_hours} h, "
            "with a reason; all leads are told at once, and somebody on it reviews it.",
        )


def from_json(kept: Mapping[str, Any]) -> Policy:
    """Return the policy as it was kept; what was not known then has its default."""
    return Policy(**{name: kept[name] for name in asdict(Policy()) if name in kept})


def demand_releaser(
    policy: Policy, releaser: str, *, drafter: str, editors: Collection[str], submitter: str, approver: str
) -> None:
    """Raises Refused where this installation wants a third person to start what was approved, and this is not one."""
    if not policy.release_by_third:
        return
    if releaser == approver:
        raise Refused("You approved this notice, so a third person has to start it: this installation has set it so.")
    if releaser in {drafter, submitter, *editors}:
        raise Refused("You worked on this notice, so a third person has to start it: this installation has set it so.")
    if not releaser.startswith("U-"):
        raise Refused("This installation has a third person start each sending, so nothing is sent by itself.")


def gained(held: Collection[str], wanted: Iterable[str]) -> list[str]:
    """Return the roles that a change would add."""
    return [role for role in wanted if role not in held]


def lost(held: Collection[str], wanted: Iterable[str]) -> list[str]:
    """Return the roles that could say yes to others and that a change would take away."""
    return [role for role in CONFIRMERS if role in held and role not in set(wanted)]


def demand_second_yes(confirmer: str, *, asked_by: str, of: str) -> None:
    """Raises Refused unless the second yes is somebody else's than the asker's and the gainer's."""
    if confirmer == asked_by:
        raise Refused("You asked for this change, so somebody else has to say yes.")
    if confirmer == of:
        raise Refused("Nobody says yes to their own roles. Ask another administrator or lead.")


def demand_open(asked_at: datetime, now: datetime) -> None:
    """Raises Refused for a request that nobody answered for too long."""
    if now - asked_at > REQUEST_LASTS:
        raise Refused("Nobody answered this request for two weeks, so it has ended. Ask anew.")


def reason(field: str, text: str) -> str:
    """Return the reason as it is kept. Raises Invalid."""
    words = " ".join(text.replace("\0", "").split())
    if len(words) < SHORTEST_REASON:
        raise Invalid(field, "Say in a sentence why; it is read by all leads and stays.")
    if len(words) > LONGEST_WORDS:
        raise Invalid(field, f"At most {LONGEST_WORDS:,} characters.")
    return words


def demand_reviewed(overdue: int) -> None:
    """Raises Refused where an earlier opening of the same person waits for its review for too long."""
    if overdue:
        raise Refused(
            "An incident that you opened in an emergency was not reviewed in time. "
            "Ask somebody on it to review that first, or an administrator to let you in."
        )


def demand_reviewer(reviewer: str, *, opened_by: str) -> None:
    """Raises Refused unless somebody else looks at it than whoever opened it."""
    if reviewer == opened_by:
        raise Refused("You opened it, so somebody else on the incident has to review that.")
