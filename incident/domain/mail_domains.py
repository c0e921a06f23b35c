"""What a sender's domain says in the DNS to those who receive its mail: SPF, DKIM, DMARC. Records in, findings out.

Sources: RFC 7208 (SPF: one TXT record that begins with "v=spf1"; more than one is an error), RFC 6376 (DKIM keys under
`selector._domainkey`), RFC 7489 (DMARC under `_dmarc`, else that of the organisational domain).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SELECTORS: Final[Mapping[str, tuple[str, ...]]] = {"sendgrid": ("s1", "s2")}
"""The selectors under which a provider keeps its keys unless somebody chose others."""


class Standing(StrEnum):
    """What was found."""

    THERE = "there"
    LACKING = "lacking"
    WRONG = "wrong"
    NOT_LOOKED_UP = "not_looked_up"


@dataclass(frozen=True)
class Records:
    """What the DNS answered: texts by what was asked; None where no answer came, which says nothing about the domain."""

    domain: str
    spf: Sequence[str] | None = None
    dmarc: Sequence[str] | None = None
    keys: Mapping[str, Sequence[str] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One of the three, and a sentence on it."""

    name: str
    standing: Standing
    sentence: str


def domain_of(sender: str) -> str:
    """The domain of an address such as `Example <privacy@example.org>`; empty for what is no address."""
    address = sender.rpartition("<")[2].rstrip("> ").strip()
    name, at, domain = address.rpartition("@")
    return domain.lower().rstrip(".") if at and name and "." in domain and domain.isascii() else ""


def parents(domain: str) -> tuple[str, ...]:
    """The domain and those above it down to two labels: where a DMARC record may stand."""
    labels = domain.split(".")
    return tuple(".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))


def selectors(provider: str, chosen: Sequence[str]) -> tuple[str, ...]:
    """Under which selectors to look for keys: those that somebody named, else the provider's usual ones."""
    return tuple(chosen) or SELECTORS.get(provider, ())


def judged(found: Records) -> tuple[Check, ...]:
    """What there is to say of each of the three."""
    return (_spf(found), _dkim(found), _dmarc(found))


def as_json(checks: Sequence[Check]) -> list[dict[str, str]]:
    """As they are kept."""
    return [{"name": one.name, "standing": one.standing.value, "sentence": one.sentence} for one in checks]


def from_json(raw: Sequence[Mapping[str, str]]) -> tuple[Check, ...]:
    """Read back."""
    return tuple(Check(one["name"], Standing(one["standing"]), one["sentence"]) for one in raw)


def _spf(found: Records) -> Check:
    if found.spf is None:
        return _unknown("SPF", found.domain)
    records = [text for text in found.spf if text.lower().split(" ")[0] == "v=spf1"]
    if not records:
        return Check("SPF", Standing.LACKING, f"{found.domain} does not say which servers send its mail.")
    if len(records) > 1:
        return Check(
            "SPF", Standing.WRONG, f"{found.domain} has {len(records)} SPF records; receivers take that as an error."
        )
    if records[0].lower().split()[-1] == "+all":
        return Check("SPF", Standing.WRONG, f"{found.domain} lets every server in the world send its mail (+all).")
    return Check("SPF", Standing.THERE, f"{found.domain} says which servers send its mail.")


def _dkim(found: Records) -> Check:
    if not found.keys:
        said = "Name the selector of your signing key (TOCSIN_DKIM_SELECTORS), and it is looked up."
        return Check("DKIM", Standing.NOT_LOOKED_UP, said)
    answered = {name: texts for name, texts in found.keys.items() if texts is not None}
    if any(_is_key(text) for texts in answered.values() for text in texts):
        return Check("DKIM", Standing.THERE, f"{found.domain} publishes the key that its mail is signed with.")
    if len(answered) < len(found.keys):
        return _unknown("DKIM", found.domain)
    asked = ", ".join(f"{name}._domainkey.{found.domain}" for name in found.keys)
    return Check("DKIM", Standing.LACKING, f"There is no key at {asked}.")


def _is_key(text: str) -> bool:
    """Whether this is a key that still stands: an empty `p=` says that it was taken back."""
    tags = _tags(text)
    return tags.get("v", "DKIM1") == "DKIM1" and bool(tags.get("p"))


def _dmarc(found: Records) -> Check:
    if found.dmarc is None:
        return _unknown("DMARC", found.domain)
    records = [_tags(text) for text in found.dmarc if text.replace(" ", "").lower().startswith("v=dmarc1")]
    if not records:
        said = f"{found.domain} has no DMARC record; large mailbox providers ask bulk senders for one."
        return Check("DMARC", Standing.LACKING, said)
    policy = records[0].get("p", "").lower()
    if len(records) > 1 or policy not in {"none", "quarantine", "reject"}:
        return Check("DMARC", Standing.WRONG, f"The DMARC record of {found.domain} cannot be read as one policy.")
    return Check("DMARC", Standing.THERE, f"{found.domain} has a DMARC record with the policy “{policy}”.")


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _unknown(name: str, domain: str) -> Check:
    return Check(name, Standing.NOT_LOOKED_UP, f"The DNS did not answer for {domain}, so this could not be checked.")
