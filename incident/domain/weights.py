"""How much the data of a breach tells of an identified person: nothing, plain, telling, grave."""

from incident.domain.breach import Breach, Weight, standard
from incident.domain.facts import vocabulary

FEW = 100  # up to here an accidental disclosure to a few known people stays small
BROAD = 6  # so many different plain kinds about one person make a profile


def told(breach: Breach) -> tuple[Weight, tuple[str, ...], tuple[str, ...]]:
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
