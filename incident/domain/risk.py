"""The risk of a breach to the people concerned: unlikely, a risk, or a high risk (GDPR Art. 33 and 34).

The reasoning is that of EDPB Guidelines 9/2022 (section IV and annex B) and 01/2021: what was hurt, whether the data can be
read, who has it, what it tells, about whom and about how many, and what has been done. It suggests; a person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from incident.domain.breach import ATTACKS, NOT_TAKEN, TAKEN, Breach, Exposure, Weight, described
from incident.domain.exposure import exposed, unreadable
from incident.domain.facts import Facts
from incident.domain.weights import FEW, told

MANY = 1_000
BRIEF_HOURS = 8  # an interruption shorter than a working day
LONG_HOURS = 24
SHORT_FOR_PATIENTS = 4


class Risk(IntEnum):
    """How much is to be feared for people."""

    UNLIKELY = 0
    RISK = 1
    HIGH = 2

    @property
    def word(self) -> str:
        """The word used as the fact `risk_to_people`."""
        return self.name.lower()


@dataclass(frozen=True)
class Judgement:
    """A risk with its reasons; `open` names what is not known and could change it."""

    risk: Risk
    reasons: tuple[str, ...]
    open: tuple[str, ...] = ()

    @property
    def conditional(self) -> bool:
        """Whether something unknown could change it."""
        return bool(self.open)


def judged(breach: Breach) -> Judgement:
    """The suggested risk of a breach: the worst of what happened to secrecy, to availability and to correctness."""
    if breach.personal_data is False:
        return Judgement(Risk.UNLIKELY, ("No personal data is concerned.",))
    parts = [_confidentiality(breach), _availability(breach), _integrity(breach)]
    worst = max(part.risk for part in parts)
    reasons = [reason for part in parts for reason in part.reasons]
    relevant = [part for part in parts if worst is not Risk.HIGH or part.risk is Risk.HIGH]
    doubts = [key for part in relevant for key in part.open]
    if breach.personal_data is None:
        doubts.insert(0, "personal_data")
    return Judgement(worst, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(doubts)))


def suggested_risk(facts: Mapping[str, Any] | Facts) -> tuple[str, list[str], bool]:
    """The suggested word for `risk_to_people`, its reasons, and whether something unknown could still change it."""
    judgement = judged(described(facts))
    return judgement.risk.word, list(judgement.reasons), judgement.conditional


# ---------------------------------------------------------------- confidentiality


def _confidentiality(breach: Breach) -> Judgement:
    if unreadable(breach):
        return Judgement(
            Risk.UNLIKELY, ("The data was encrypted to the state of the art and the key is safe: nobody can read it.",)
        )
    exposure, why, open_ = exposed(breach)
    if exposure is Exposure.NOBODY:
        return Judgement(Risk.UNLIKELY, why, open_)
    weight, tells, unknown = told(breach)
    table = {
        Exposure.TRUSTED: _with_trusted,
        Exposure.KNOWN: _with_recipients,
        Exposure.UNKNOWN: _with_recipients,
        Exposure.LOST: _with_thief,
        Exposure.ATTACKER: _with_attacker,
        Exposure.PUBLIC: _in_public,
    }
    found = table[exposure](breach, weight)
    return Judgement(found.risk, (*why, *tells, *found.reasons), (*open_, *unknown, *found.open))


# ---------------------------------------------------------------- one answer per exposure


def _with_trusted(breach: Breach, weight: Weight) -> Judgement:
    if weight < Weight.GRAVE:
        return Judgement(Risk.UNLIKELY, ())
    return Judgement(Risk.RISK, ("Data this grave was read by somebody, even if it was given up.",))


def _with_recipients(breach: Breach, weight: Weight) -> Judgement:
    """Sent to or open for the wrong people, without ill will."""
    if weight is Weight.NOTHING:
        return Judgement(Risk.UNLIKELY, ())
    few = breach.people is not None and breach.people < FEW and not breach.open_ended
    if weight is Weight.PLAIN:
        if few:
            return Judgement(Risk.UNLIKELY, (f"Plain data of {breach.people:,} people, with no sign of ill will.",))
        return Judgement(Risk.RISK, _crowd(breach), _crowd_open(breach))
    if weight is Weight.GRAVE and breach.people is not None and breach.people >= FEW:
        return Judgement(Risk.HIGH, (f"Grave data of {breach.people:,} people reached others.",))
    return Judgement(Risk.RISK, ("Misuse by the wrong recipient cannot be excluded.",), _crowd_open(breach))


def _with_thief(breach: Breach, weight: Weight) -> Judgement:
    """A thief often wants the thing, not the data: the number of people and the weight decide."""
    if weight is Weight.NOTHING:
        return Judgement(Risk.UNLIKELY, ())
    if weight is Weight.GRAVE:
        return Judgement(Risk.HIGH, ("Whoever holds it can read grave data.",))
    if weight is Weight.TELLING and breach.people is not None and breach.people >= MANY:
        return Judgement(Risk.HIGH, (f"Enough about {breach.people:,} people to take on their identity.",))
    return Judgement(
        Risk.RISK, ("Whoever holds it can read the data.",), _crowd_open(breach) if weight > Weight.PLAIN else ()
    )


def _with_attacker(breach: Breach, weight: Weight) -> Judgement:
    """Data taken by somebody who wants it."""
    if weight is Weight.NOTHING:
        return Judgement(Risk.UNLIKELY, ())
    if weight is Weight.PLAIN:
        return Judgement(Risk.RISK, ("Plain data, but in the hands of somebody who wants to use it.",))
    return Judgement(Risk.HIGH, ("With this data the attacker can harm people directly.",))


def _in_public(breach: Breach, weight: Weight) -> Judgement:
    if weight is Weight.NOTHING:
        return Judgement(Risk.UNLIKELY, ())
    if weight is Weight.PLAIN and not (breach.people is not None and breach.people >= MANY):
        return Judgement(Risk.RISK, ("Anyone can use the data now.",), _crowd_open(breach))
    return Judgement(Risk.HIGH, ("Anyone can use the data now, and it cannot be called back.",))


def _crowd(breach: Breach) -> tuple[str, ...]:
    if breach.people is None:
        return ("How many people are concerned is not known; many would make it a risk.",)
    return (
        f"{breach.people:,} people or more are concerned."
        if breach.open_ended
        else f"{breach.people:,} people are concerned.",
    )


def _crowd_open(breach: Breach) -> tuple[str, ...]:
    return ("people_count",) if breach.people is None or breach.open_ended else ()


# ---------------------------------------------------------------- availability and correctness


def _availability(breach: Breach) -> Judgement:
    """Whether people suffer because data is lost or out of reach."""
    if breach.hurts("availability") is not True and not _held_to_ransom(breach):
        return Judgement(Risk.UNLIKELY, ())
    hours = breach.restore_hours
    if breach.route() == "none" and not breach.malicious and (hours is None or hours <= BRIEF_HOURS):
        return Judgement(
            Risk.UNLIKELY,
            ("A short interruption, with nothing lost.",),
            () if hours is not None else ("restore_hours",),
        )
    if hours is None and breach.backup is True and breach.route() in {"lost", "known"}:
        return Judgement(Risk.UNLIKELY, ("A copy of the data is at hand.",))
    if breach.patients:
        return _patients_waiting(hours)
    return _waiting(breach, hours)


def _held_to_ransom(breach: Breach) -> bool:
    return not breach.properties and "ransomware" in {breach.event, breach.category}


def _patients_waiting(hours: float | None) -> Judgement:
    if hours is None:
        return Judgement(
            Risk.HIGH, ("Health data is out of reach; a delay of treatment harms patients.",), ("restore_hours",)
        )
    if hours <= SHORT_FOR_PATIENTS:
        return Judgement(Risk.RISK, (f"Health data was out of reach for {hours:g} hours.",))
    return Judgement(Risk.HIGH, (f"Health data was out of reach for {hours:g} hours: treatment is delayed.",))


def _waiting(breach: Breach, hours: float | None) -> Judgement:
    if breach.backup is True and hours is not None and hours <= LONG_HOURS:
        return Judgement(Risk.UNLIKELY, (f"A backup brought everything back within {hours:g} hours.",))
    if breach.backup is True and hours is None:
        return Judgement(Risk.UNLIKELY, ("There is a usable backup.",), ("restore_hours",))
    if breach.backup is None and hours is not None and hours <= BRIEF_HOURS:
        return Judgement(Risk.UNLIKELY, (f"The data was back within {hours:g} hours.",))
    if breach.backup is None and hours is None:
        return Judgement(
            Risk.RISK, ("Whether and when the data comes back is not known.",), ("backup_available", "restore_hours")
        )
    if breach.special:
        return Judgement(Risk.HIGH, ("Sensitive data is lost or out of reach for long.",))
    return Judgement(Risk.RISK, ("No timely backup: people wait, or the data is lost.",))


def _integrity(breach: Breach) -> Judgement:
    """Changed data hurts people unless the right data is back in time."""
    if breach.hurts("integrity") is not True:
        return Judgement(Risk.UNLIKELY, ())
    if breach.backup is True and (breach.restore_hours is None or breach.restore_hours <= LONG_HOURS):
        return Judgement(Risk.UNLIKELY, ("The right data is back from the backup.",))
    if unreadable(breach) and breach.exfiltration in NOT_TAKEN:
        return Judgement(Risk.UNLIKELY, ())
    if breach.route() in ATTACKS and breach.hurts("availability") is not True and breach.exfiltration in TAKEN:
        return Judgement(Risk.UNLIKELY, ())  # altered on the way to taking it: confidentiality has the answer
    if told(breach)[0] is Weight.NOTHING:
        return Judgement(Risk.UNLIKELY, ())
    return Judgement(
        Risk.RISK, ("Wrong data about people may be in use.",), () if breach.backup is False else ("backup_available",)
    )
