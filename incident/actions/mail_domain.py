"""Looks up what a sender's domain says in the DNS. It waits a few seconds at most, and no answer is no verdict."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

import structlog

from incident.domain.mail_domains import Check, Records, domain_of, judged, parents, selectors

log = structlog.get_logger()

SECONDS: Final = 3.0  # for one question, all its servers together
Lookup = Callable[[str], Sequence[str] | None]


def texts(name: str) -> Sequence[str] | None:
    """The TXT records of a name; nothing where the DNS says that there are none, None where it gave no answer."""
    resolver, exception = import_module("dns.resolver"), import_module("dns.exception")
    try:
        answer = resolver.Resolver().resolve(name, "TXT", lifetime=SECONDS)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return []
    except (exception.DNSException, OSError) as error:
        log.info("mail_domain.no_answer", kind=type(error).__name__)
        return None
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def nothing(_name: str) -> None:
    """No answer: where the DNS is not asked."""


def checked(sender: str, *, provider: str, chosen: Sequence[str] = (), lookup: Lookup = texts) -> tuple[Check, ...]:
    """SPF, DKIM and DMARC of the domain that this sender writes from; nothing where it is no address."""
    domain = domain_of(sender)
    if not domain:
        return ()
    spf = lookup(domain)
    keys = {
        name: lookup(f"{name}._domainkey.{domain}") if spf is not None else None for name in selectors(provider, chosen)
    }
    return judged(Records(domain, spf, _dmarc(domain, lookup) if spf is not None else None, keys))


def _dmarc(domain: str, lookup: Lookup) -> Sequence[str] | None:
    """The records of the domain, or of the nearest one above it that has some."""
    found: Sequence[str] | None = []
    for name in parents(domain):
        found = lookup(f"_dmarc.{name}")
        if found is None or any(text.lower().startswith("v=dmarc1") for text in found):
            return found
    return found
