"""The ENISA inputs that facts suggest, each with its reason. A person may choose others."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from incident.domain import enisa
from incident.domain.breach import STATE_OF_THE_ART, Breach, Exposure, described
from incident.domain.errors import Invalid
from incident.domain.exposure import exposed
from incident.domain.facts import Facts, vocabulary

CROWD = 100  # ENISA flags breaches of more than a hundred people
DIRECT = frozenset({"ssn", "id_number", "passport", "driving_licence", "id_copy", "taxpayer_number"})
REACHING = frozenset({"email", "phone", "address", "date_of_birth", "photo"})
CAPTIONS = {
    "category": "Kind of data",
    "adjust": "Steps up or down",
    "ei": "Ease of identification",
    "confidentiality": "Loss of confidentiality",
    "integrity": "Loss of integrity",
    "availability": "Loss of availability",
    "malicious_intent": "Malicious intent",
}


@dataclass(frozen=True)
class Inputs:
    """All inputs of SE, as words of the method. `reasons` has a sentence for each, by its name."""

    category: str = "simple"
    adjust: int = 0
    ei: float = 0.25
    confidentiality: str = "no_evidence"
    integrity: str = "no_evidence"
    availability: str = "recoverable"
    malicious_intent: str = "false"
    reasons: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    def severity(self) -> enisa.Severity:
        """The severity of these inputs. Raises Invalid naming the input that is not of the method."""
        dpc = enisa.dpc_score({"category": self.category, "adjust": self.adjust})
        names = ("confidentiality", "integrity", "availability", "malicious_intent")
        points = {name: _points(name, getattr(self, name)) for name in names}
        return enisa.severity(dpc, self.ei, points)

    def chosen(self) -> dict[str, str | int | float]:
        """The inputs without their reasons, as a grade keeps them."""
        return {name: getattr(self, name) for name in CAPTIONS}


def _points(name: str, word: str) -> float:
    try:
        return enisa.cb_score(name, word)
    except Invalid as error:
        raise Invalid(name, error.sentence) from None


def suggested(facts: Facts) -> Inputs:
    """The inputs that follow from what is known; what is not known is named and counted as the milder case."""
    breach = described(facts)
    category, adjust, why_category, why_adjust = _context(facts, breach)
    ei, why_ei = _ease(breach)
    exposure, _, doubts = exposed(breach)
    cb = _circumstances(breach, exposure)
    reasons = {
        "category": why_category,
        "adjust": why_adjust,
        "ei": why_ei,
        **{name: why for name, (_, why) in cb.items()},
    }
    words = {name: word for name, (word, _) in cb.items()}
    unknown = tuple(key for key in ("data_kinds", "malicious", "properties") if not facts.known(key)) + doubts
    flags = _flags(breach)
    return Inputs(category, adjust, ei, **words, reasons=reasons, flags=flags, open=tuple(dict.fromkeys(unknown)))


def _context(facts: Facts, breach: Breach) -> tuple[str, int, str, str]:
    kinds = vocabulary().kinds
    named = [kinds[word] for word in breach.kinds if word in kinds]
    if not named:
        return "simple", 0, "No kind of data is named yet.", "Nothing known moves it."
    category = max((kind.enisa for kind in named), key=lambda word: enisa.BASE[word])
    because = ", ".join(kind.en for kind in named if kind.enisa == category)
    why = f"The heaviest data is {category}: {because}."
    if breach.vulnerable and category != "sensitive":
        return category, 1, why, "People in need of special protection are among them: one step up."
    if category == "simple" and any("government_id" in kind.flags for kind in named):
        return category, 2, why, "Numbers of identity documents allow taking on an identity: two steps up."
    if category == "financial" and any("credential" in kind.flags for kind in named):
        return category, 1, why, "It opens accounts or allows payments: one step up."
    return category, 0, why, "Nothing known moves it."


def _ease(breach: Breach) -> tuple[float, str]:
    kinds = set(breach.kinds)
    if breach.encryption in STATE_OF_THE_ART and breach.key_compromised is False:
        return 0.25, "The data cannot be read: it is encrypted and the key is safe."
    if kinds & DIRECT and ("name" in kinds or "photo" in kinds):
        return 1.0, "A name with the number of an identity document points to one person."
    if "name" in kinds and kinds & REACHING:
        return 1.0, "A name with an address, a birthday or a picture points to one person."
    if kinds & DIRECT:
        return 0.75, "The number of an identity document leads to the person for whoever can look it up."
    if kinds & {"email", "phone", "photo", "address"}:
        return 0.75, "An address, number or picture that mostly leads to the person."
    if "name" in kinds:
        return 0.5, "A name alone, which several people may share."
    if kinds & {"user_name", "device", "licence_plate", "bank_account", "payment_card"}:
        return 0.5, "A number that leads to the person with the help of somebody who holds the list."
    return 0.25, "Nothing in the data leads to a person, as far as is known."


_CONFIDENTIALITY = {
    Exposure.NOBODY: ("no_evidence", "Nothing shows that anyone saw the data."),
    Exposure.TRUSTED: ("known_recipients", "It reached a known recipient who can be trusted."),
    Exposure.KNOWN: ("known_recipients", "It reached known recipients."),
    Exposure.UNKNOWN: ("unknown_recipients", "It was open to unknown people."),
    Exposure.LOST: ("unknown_recipients", "It is in unknown hands."),
    Exposure.ATTACKER: ("unknown_recipients", "An attacker has it, and may have passed it on."),
    Exposure.PUBLIC: ("unknown_recipients", "It is public."),
}


def _circumstances(breach: Breach, exposure: Exposure) -> dict[str, tuple[str, str]]:
    return {
        "confidentiality": _CONFIDENTIALITY[exposure],
        "integrity": _integrity(breach),
        "availability": _availability(breach),
        "malicious_intent": ("true", "It was done on purpose.")
        if breach.malicious
        else ("false", _NO_INTENT[breach.malicious]),
    }


_NO_INTENT = {False: "It was not done on purpose.", None: "Whether it was done on purpose is not known."}


def _integrity(breach: Breach) -> tuple[str, str]:
    if not breach.hurts("integrity"):
        return "no_evidence", "Nothing shows that data was changed."
    if breach.backup is False:
        return "altered_not_recoverable", "Data was changed, and the right data cannot be brought back."
    return "altered_recoverable", "Data was changed; the right data can be brought back."


def _availability(breach: Breach) -> tuple[str, str]:
    if not breach.hurts("availability"):
        return "recoverable", "Nothing shows that data was out of reach."
    if breach.backup is False and breach.restore_hours is None:
        return "permanent", "Data is lost: there is no backup."
    if breach.backup is True and breach.restore_hours is not None and breach.restore_hours <= 1:
        return "recoverable", "It was back within an hour."
    return "temporary", "It is or was out of reach for a time."


def _flags(breach: Breach) -> tuple[str, ...]:
    """What the method leaves out of the sum and asks to note beside it."""
    found = []
    if breach.people is not None and breach.people > CROWD:
        found.append(f"More than {CROWD} people are concerned ({breach.people:,}).")
    if breach.encryption in STATE_OF_THE_ART and breach.key_compromised is False:
        found.append("The data is unintelligible to whoever has it.")
    return tuple(found)
