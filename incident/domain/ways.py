"""How a duty may be met: ways of telling, notice in place of them, languages, form, and guardians of children."""

from dataclasses import dataclass

from incident.domain.answers import Truth
from incident.domain.facts import Facts
from incident.domain.lawbook import Channel, Duty, Form, Substitute


@dataclass(frozen=True)
class Proposal:
    """Notice in place of telling each person that the law allows here, and the figures that show it."""

    substitute: Substitute
    because: tuple[str, ...]


@dataclass(frozen=True)
class Ways:
    """How this duty may be met in this incident; `wants` are the facts that could allow or ask for more."""

    channels: tuple[Channel, ...] = ()
    proposed: tuple[Proposal, ...] = ()
    language: tuple[str, ...] = ()
    form: Form | None = None
    guardians: str = ""
    wants: tuple[str, ...] = ()


ANY: Ways = Ways()
"""A duty of which its law says nothing of all this."""


def ways(duty: Duty, facts: Facts) -> Ways:
    """How this duty may be met, by what is known."""
    if not (duty.channels or duty.substitute or duty.language or duty.form or duty.guardian_under):
        return ANY
    guardians, unknown = _guardians(duty.guardian_under, facts)
    proposed: list[Proposal] = []
    wants = dict.fromkeys(unknown)
    for substitute in duty.substitute:
        answer = substitute.when(facts)
        if answer.truth is Truth.YES:
            proposed.append(Proposal(substitute, answer.because))
        wants.update(dict.fromkeys(answer.wants))
    return Ways(duty.channels, tuple(proposed), duty.language, duty.form, guardians, tuple(wants))


def _guardians(under: int, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """What to say of guardians, and the facts that are missing for it. Unknown ages are said, never left out."""
    youngest, minors = facts["youngest_age"], facts["minors"]
    if not under or minors is False or (isinstance(youngest, int) and youngest >= under):
        return "", ()
    said = f"a parent or guardian is told of a person younger than {under}"
    if isinstance(youngest, int):
        return f"The youngest is {youngest}: {said}.", ()
    if minors is True or "children" in facts.get("people_categories", ()):
        return f"Children are among them: {said}.", ("youngest_age",)
    return f"Whether children are among them is not known yet: {said}.", ("minors",)
