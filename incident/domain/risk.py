"""The risk of a breach to the people concerned: unlikely, a risk, or a high risk (GDPR Art. 33 and 34).

The reasoning is that of EDPB Guidelines 9/2022 (section IV and annex B) and 01/2021: what was hurt, whether the data can be
read, who has it, what it tells, about whom and about how many, and what has been done. It suggests; a person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from incident.domain.breach import (
    ATTACKS,
    NOT_TAKEN,
    STATE_OF_THE_ART,
    TAKEN,
    Breach,
    Exposure,
    Weight,
    described,
    standard,
)
from incident.domain.facts import Facts, vocabulary

FEW = 100  # up to here an accidental disclosure to a few known people stays small
MANY = 1_000
BRIEF_HOURS = 8  # an interruption shorter than a working day
LONG_HOURS = 24
BROAD = 6  # so many different plain kinds about one person make a profile

IDENTIFYING = frozenset({"identity", "contact", "government_id", "financial", "health"})


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
    doubts = [key for part in parts if part.risk >= worst or part.open for key in part.open]
    if breach.personal_data is None:
        doubts.insert(0, "personal_data")
    if worst is Risk.HIGH:
        doubts = [key for part in parts if part.risk is Risk.HIGH for key in part.open]
    return Judgement(worst, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(doubts)))


def suggested_risk(facts: Mapping[str, Any] | Facts) -> tuple[str, list[str], bool]:
    """The suggested word for `risk_to_people`, its reasons, and whether something unknown could still change it."""
    judgement = judged(described(facts))
    return judgement.risk.word, list(judgement.reasons), judgement.conditional


# ---------------------------------------------------------------- confidentiality


def _confidentiality(breach: Breach) -> Judgement:
    protection = _unreadable(breach)
    if protection is not None:
        return protection
    exposure, why, open_ = exposed(breach)
    if exposure is Exposure.NOBODY:
        return Judgement(Risk.UNLIKELY, why, open_)
    weight, tells, unknown = _weight(breach)
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


def _unreadable(breach: Breach) -> Judgement | None:
    """The answer where encryption settles it; None where it does not."""
    if breach.encryption not in STATE_OF_THE_ART:
        return None
    if breach.key_compromised is False or (breach.key_compromised is None and "remote_wipe" in breach.mitigation):
        return Judgement(
            Risk.UNLIKELY, ("The data was encrypted to the state of the art and the key is safe: nobody can read it.",)
        )
    return None


def exposed(breach: Breach) -> tuple[Exposure, tuple[str, ...], tuple[str, ...]]:
    """Who has the data, why we think so, and what is not known about it."""
    stated = breach.recipients
    if stated is not None:
        if stated == "known" and _recovered(breach):
            stated = "trusted"
        return Exposure(stated), (_EXPOSED[Exposure(stated)],), ()
    if breach.exfiltration == "published":
        return Exposure.PUBLIC, (_EXPOSED[Exposure.PUBLIC],), ()
    if breach.hurts("confidentiality") is False and breach.exfiltration not in TAKEN:
        return Exposure.NOBODY, ("Confidentiality was not hurt.",), ()
    return _by_route(breach)


def _by_route(breach: Breach) -> tuple[Exposure, tuple[str, ...], tuple[str, ...]]:
    route = breach.route()
    if route == "none":
        return Exposure.NOBODY, ("Nothing points to anyone having seen the data.",), ()
    if route in ATTACKS:
        return _after_attack(breach)
    if route == "lost":
        return Exposure.LOST, (_EXPOSED[Exposure.LOST],), ()
    if route == "known":
        exposure = Exposure.TRUSTED if _recovered(breach) else Exposure.KNOWN
        return exposure, (_EXPOSED[exposure],), ()
    if breach.exfiltration in NOT_TAKEN:
        return Exposure.NOBODY, ("Nothing left the organisation.",), ()
    return Exposure.UNKNOWN, (_EXPOSED[Exposure.UNKNOWN],), ("recipients",)


def _after_attack(breach: Breach) -> tuple[Exposure, tuple[str, ...], tuple[str, ...]]:
    """An intruder reads what an insider may also only open; only proof that nothing left settles it."""
    if breach.exfiltration in TAKEN:
        return Exposure.ATTACKER, (_EXPOSED[Exposure.ATTACKER],), ()
    if breach.exfiltration in {"none_confirmed", "none_confirmed_by_logs"}:
        return Exposure.NOBODY, ("It is shown that no data left.",), ()
    if breach.exfiltration == "none" and breach.hurts("availability") is True:
        return Exposure.NOBODY, ("The attack took the data out of reach, not away.",), ()
    if breach.hurts("confidentiality") is None and breach.exfiltration is None:
        return Exposure.ATTACKER, ("An attacker was in; whether data was taken is not known.",), ("exfiltration",)
    if breach.exfiltration == "no_evidence":
        return Exposure.ATTACKER, ("No sign that data was taken, but it cannot be excluded.",), ("exfiltration",)
    return Exposure.ATTACKER, (_EXPOSED[Exposure.ATTACKER],), ()


_EXPOSED = {
    Exposure.NOBODY: "Nobody outside has the data.",
    Exposure.TRUSTED: "The recipient is known, can be trusted, and has given up the data.",
    Exposure.KNOWN: "The data reached people it was not meant for, who are known.",
    Exposure.UNKNOWN: "The data was open to people we do not know.",
    Exposure.LOST: "The thing that holds the data is in unknown hands and can be read.",
    Exposure.ATTACKER: "Somebody has the data who wants to misuse it.",
    Exposure.PUBLIC: "The data is public or for sale.",
}


def _recovered(breach: Breach) -> bool:
    return "deletion_confirmed" in breach.mitigation and not breach.malicious


# ---------------------------------------------------------------- what the data tells


def _weight(breach: Breach) -> tuple[Weight, tuple[str, ...], tuple[str, ...]]:
    """How much the data tells, why, and what is not known about it. Unnamed data counts as plain."""
    if not breach.kinds and not breach.special:
        return Weight.PLAIN, ("What kinds of data were concerned is not known.",), ("data_kinds",)
    if _pseudonymous(breach):
        return Weight.NOTHING, ("What was taken names nobody and opens nothing.",), ()
    weight = max((_of_kind(kind, breach) for kind in breach.kinds), default=Weight.PLAIN)
    reason = (
        f"The heaviest data: {_named(weight, breach)}." if breach.kinds else "Special categories of data are concerned."
    )
    if breach.special and weight < Weight.GRAVE:
        weight, reason = _special(breach, weight)
    if weight is Weight.PLAIN and len(breach.kinds) >= BROAD:
        weight, reason = Weight.TELLING, f"{len(breach.kinds)} kinds of data together draw a profile of a person."
    if breach.vulnerable and weight < Weight.GRAVE:
        return Weight(weight + 1), (reason, "People in need of special protection are among them."), ()
    return weight, (reason,), ()


def _special(breach: Breach, weight: Weight) -> tuple[Weight, str]:
    """Special data that is named weighs most; what a diet or an order merely lets one guess, of a few people, does not."""
    guessed = set(breach.kinds) & set(standard()["inferring"]["kinds"])
    if not guessed:
        return Weight.GRAVE, "Special categories of data are concerned."
    if breach.people is not None and breach.people < FEW:
        return weight, "Belief or health could at most be guessed, of a few people."
    return max(weight, Weight.TELLING), "Belief or health could be guessed from it."


def _of_kind(kind: str, breach: Breach) -> Weight:
    if breach.encryption == "passwords_hashed_salted_strong" and kind in {"password", "password_hash"}:
        return Weight.NOTHING if breach.key_compromised is not True else Weight.TELLING
    return Weight(standard()["weight"].get(kind, Weight.PLAIN))


def _pseudonymous(breach: Breach) -> bool:
    """Only pseudonyms and soundly hashed passwords: no name, no address, nothing that opens an account."""
    if not breach.kinds or breach.special:
        return False
    allowed = set(standard()["pseudonymous"]["kinds"]) | {"password"}
    return set(breach.kinds) <= allowed and all(
        _of_kind(kind, breach) is Weight.NOTHING or kind not in {"password", "password_hash"} for kind in breach.kinds
    )


def _named(weight: Weight, breach: Breach) -> str:
    kinds = vocabulary().kinds
    names = [kinds[kind].en for kind in breach.kinds if kind in kinds and _of_kind(kind, breach) == weight]
    return ", ".join(names[:4]) or "other personal data"


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


SHORT_FOR_PATIENTS = 4


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
    if _unreadable(breach) is not None and breach.exfiltration in NOT_TAKEN:
        return Judgement(Risk.UNLIKELY, ())
    if breach.route() in ATTACKS and breach.hurts("availability") is not True and breach.exfiltration in TAKEN:
        return Judgement(Risk.UNLIKELY, ())  # altered on the way to taking it: confidentiality has the answer
    if _weight(breach)[0] is Weight.NOTHING:
        return Judgement(Risk.UNLIKELY, ())
    return Judgement(
        Risk.RISK, ("Wrong data about people may be in use.",), () if breach.backup is False else ("backup_available",)
    )


# ---------------------------------------------------------------- what GDPR asks at this risk


@dataclass(frozen=True)
class Notification:
    """What Art. 33 and 34 ask at a suggested risk. Each answer is true, false or a word that says who decides."""

    internal_documentation: bool
    notify_supervisory_authority: bool | str
    communicate_to_data_subjects: bool | str
    notify_controllers: bool
    judgement: Judgement

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, sentence by sentence."""
        return self.judgement.reasons


def notification(facts: Mapping[str, Any] | Facts) -> Notification:
    """Whom GDPR makes the organisation tell, judged from the described breach."""
    breach = described(facts)
    judgement = judged(breach)
    if breach.role == "processor":
        return _for_processor(judgement)
    tell = judgement.risk is Risk.HIGH
    people: bool | str = tell
    if not tell and _one_item_astray(breach, judgement):
        people = "only_affected_if_high_risk"
        more = "Only one item is known to have gone astray; tell those it concerns if a closer look finds a high risk to them."
        judgement = replace(judgement, reasons=(*judgement.reasons, more))
    return Notification(True, judgement.risk is not Risk.UNLIKELY, people, False, judgement)


def _for_processor(judgement: Judgement) -> Notification:
    """A processor tells its controllers without undue delay (Art. 33(2)); they judge and tell the authority and the people."""
    more = "A processor tells its controllers; they decide on the authority and the people concerned."
    people: bool | str = "by_controllers" if judgement.risk is Risk.HIGH else False
    return Notification(True, "by_controllers", people, True, replace(judgement, reasons=(*judgement.reasons, more)))


def _one_item_astray(breach: Breach, judgement: Judgement) -> bool:
    """Something private went to a wrong address, and it is not yet known whether to more than one."""
    posted = breach.event in {"mispostal", "misdirected_email"} or breach.category == "misdirected"
    extent_open = breach.people is None or (breach.open_ended and breach.people < FEW)
    return posted and extent_open and judgement.risk is Risk.RISK and _weight(breach)[0] >= Weight.TELLING
