"""What a provider's list of messages says about those in doubt, and when it says enough to settle one.

A provider that has a message proves that it was sent. That it has none proves nothing that would make a second copy safe:
its list may lag. So that is evidence for a person, and settles nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from incident.domain.deliveries import REPORTS, Happening, State, after
from notifiers.contract import Finding, Match, Status

MOST_UNANSWERED: Final = 3
"""How often a provider that could not say is asked by itself."""
ASKED_AFTER: Final = timedelta(seconds=60)
"""How long after the doubt arose a provider is asked: its own list may lag."""
ASKED_AGAIN_AFTER: Final = timedelta(minutes=10)


class Verdict(StrEnum):
    """What an answer says about one delivery."""

    FOUND = "found"  # it is there, and can be no other
    NONE = "none"  # nothing there fits
    UNCLEAR = "unclear"  # something there fits, and may be another one
    UNANSWERED = "unanswered"  # the provider could not say


WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.FOUND: "the provider has it",
    Verdict.NONE: "the provider has nothing that fits",
    Verdict.UNCLEAR: "the provider has something that fits, but it may be another message",
    Verdict.UNANSWERED: "the provider could not say",
}


class Judged(NamedTuple):
    """The verdict about one delivery, how many messages fit, and the one that is it."""

    verdict: Verdict
    found: int = 0
    match: Match | None = None


def judged(findings: Sequence[Finding], taken: Collection[str], rivals: Collection[str] = ()) -> dict[str, Judged]:
    """The verdict for each reference.

    `taken` are the provider's numbers that belong to other deliveries; `rivals` the references whose address is also that
    of a message which is under way or in doubt and not among these, so that what fits may be that one.
    """
    result = {one.ref: Judged(Verdict.UNANSWERED) for one in findings if one.trouble}
    free: dict[str, dict[str, Match]] = {}
    for one in findings:
        by_reference = [match for match in one.matches if match.ours]
        if one.trouble:
            continue
        if by_reference:
            result[one.ref] = Judged(Verdict.FOUND, len(by_reference), by_reference[0])
        else:
            free[one.ref] = {match.provider_id: match for match in one.matches if match.provider_id not in taken}
    for group in _groups(free):
        result |= _told(group, free, rivals)
    return result


def settled(state: State, match: Match) -> State:
    """The state of a delivery whose message the provider has."""
    happening = REPORTS[match.status]
    return after(state, Happening.REPORTED_ON_ITS_WAY if happening is Happening.REPORTED_ELSE else happening)


def _groups(free: Mapping[str, Mapping[str, Match]]) -> Iterable[list[str]]:
    """References that the same message may fit, together."""
    left = dict(free)
    while left:
        first = next(iter(left))
        group, numbers = [first], set(left.pop(first))
        while more := [ref for ref, matches in left.items() if not numbers.isdisjoint(matches)]:
            group += more
            for ref in more:
                numbers |= left.pop(ref).keys()
        yield group


def _told(group: Sequence[str], free: Mapping[str, Mapping[str, Match]], rivals: Collection[str]) -> dict[str, Judged]:
    """All of a group are found where as many messages fit as are sought, each fits each, and nobody else may own one."""
    matches = {number: match for ref in group for number, match in free[ref].items()}
    if not matches:
        return {ref: Judged(Verdict.NONE) for ref in group}
    each_fits = all(free[ref].keys() == matches.keys() for ref in group) and len(matches) == len(group)
    certain = all(match.certain for match in matches.values()) and not any(ref in rivals for ref in group)
    if not (each_fits and certain):
        return {ref: Judged(Verdict.UNCLEAR, len(free[ref])) for ref in group}
    ordered = sorted(matches.values(), key=lambda match: match.provider_id)
    if len({match.status for match in ordered}) > 1:  # who owns which is not known; that they were taken is
        ordered = [match._replace(status=Status.ACCEPTED, reason="", code="") for match in ordered]
    return {ref: Judged(Verdict.FOUND, len(matches), match) for ref, match in zip(group, ordered, strict=True)}
