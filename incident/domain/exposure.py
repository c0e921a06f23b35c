"""Who has the data of a breach now, why we think so, and what is not known about it."""

from incident.domain.breach import ATTACKS, NOT_TAKEN, STATE_OF_THE_ART, TAKEN, Breach, Exposure


def unreadable(breach: Breach) -> bool:
    """Whether encryption settles it: to the state of the art, and the key is known to be safe or the device was wiped."""
    if breach.encryption not in STATE_OF_THE_ART:
        return False
    wiped = breach.key_compromised is None and "remote_wipe" in breach.mitigation
    return breach.key_compromised is False or wiped


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
