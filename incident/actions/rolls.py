"""Whom a notice goes to in the end: exactly those it was approved for, but for a correction to those not told after all.

Between the approval of a correction and its start a mail may still come back. Whoever it was for never had the old text, so
the correction is not for them; everybody else keeps their approved place.
"""

from incident.domain import rolls as rules
from incident.domain.errors import Refused
from incident.domain.people import Audience
from incident.domain.rolls import Roll
from incident.store import audiences
from incident.store.dispatches import Dispatch
from incident.store.notices import NoticeVersion

CHANGED = (
    "The people this goes to changed after it was approved. Submit it again, so that somebody approves who gets it."
)
NOBODY_LEFT = "Nobody is left to be told: everybody it was approved for turned out not to have had the old text."


def frozen(incident_id: int, wanted: Audience) -> tuple[int, str, bytes | None]:
    """How many people an audience is now and the digest over them; for those whom a notice told their numbers too, packed."""
    if not wanted.told_by:
        return *audiences.frozen(incident_id, wanted), None
    numbers = _numbers(incident_id, wanted)
    return len(numbers), rules.digest(numbers), rules.packed(numbers)


def of_start(incident_id: int, version: NoticeVersion) -> Roll | None:
    """Who gets a correction, and who fell out; None where it is all who were approved. Raises Refused."""
    kept, contents = version.numbers, version.contents["audience"]
    wanted = Audience.from_json(contents["filter"])
    if kept is None:
        if audiences.frozen(incident_id, wanted) != (version.people, contents["digest"]):
            raise Refused(CHANGED)
        return None
    approved = rules.unpacked(kept)
    if (len(approved), rules.digest(approved)) != (version.people, contents["digest"]):
        raise Refused(CHANGED)
    roll = rules.left(approved, set(_numbers(incident_id, wanted)))
    if approved and not roll.going:
        raise Refused(NOBODY_LEFT)
    return roll


def fell_out(incident_id: int, version: NoticeVersion) -> int:
    """How many of those a correction was approved for would be left out if it started now."""
    if version.numbers is None:
        return 0
    told = set(_numbers(incident_id, Audience.from_json(version.contents["audience"]["filter"])))
    return sum(1 for number in rules.unpacked(version.numbers) if number not in told)


def members(row: Dispatch, version: NoticeVersion, *, limit: int) -> list[tuple[int, int]]:
    """Id and number of the next people of a sending."""
    if row.fell_out is None or version.numbers is None:
        wanted = Audience.from_json(version.contents["audience"]["filter"])
        return audiences.members(row.incident_id, wanted, after=row.prepared_to, limit=limit)
    out = set(rules.unpacked(row.fell_out))
    following = [one for one in rules.unpacked(version.numbers) if one > row.prepared_to and one not in out]
    return audiences.of_numbers(row.incident_id, following[:limit])


def _numbers(incident_id: int, wanted: Audience) -> list[int]:
    return [number for batch in audiences.batches(incident_id, wanted) for _, number in batch]
