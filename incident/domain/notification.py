"""What GDPR Art. 33 and 34 ask at the suggested risk: the register, the authority, the people, the controllers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from incident.domain.breach import Breach, Weight, described
from incident.domain.facts import Facts
from incident.domain.risk import Judgement, Risk, judged
from incident.domain.weights import FEW, told


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
    return posted and extent_open and judgement.risk is Risk.RISK and told(breach)[0] >= Weight.TELLING
