"""Say who the organisation is on a page; what environment or file say wins over it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from incident.actions.ledger import transaction
from incident.domain import particulars as rules
from incident.domain.errors import Refused
from incident.domain.particulars import FACTS, NAMES
from incident.domain.stale import demand_seen
from incident.settings import Settings
from incident.store import particulars as rows


def given(settings: Settings) -> frozenset[str]:
    """Those particulars that environment or file give: no page changes them."""
    return frozenset(name for name in NAMES if name in settings.model_fields_set and str(getattr(settings, name)))


def said(settings: Settings) -> dict[str, str]:
    """What was said on the page, as far as it counts, by the setting's name."""
    return _counting(settings, {name: row.words for name, row in rows.all_().items()})


def _counting(settings: Settings, words: Mapping[str, str]) -> dict[str, str]:
    fixed = given(settings)
    return {name: said for name, said in words.items() if said and name in NAMES and name not in fixed}


def known(settings: Settings) -> Settings:
    """The settings with what was said on the page where they say nothing."""
    found = said(settings)
    return settings.model_copy(update=found) if found else settings


def own_facts(settings: Settings) -> Callable[[Mapping[str, str]], Mapping[str, Any]]:
    """What is known of the organisation in every incident, as facts, by what was said on the page; what nobody said is left out."""
    return lambda words: settings.model_copy(update=_counting(settings, words)).own_facts()


def change(
    wanted: Mapping[str, str], *, settings: Settings, actor: str, now: datetime, seen: str | None = None
) -> list[str]:
    """Say who the organisation is; the names of what changed. Raises Invalid, Stale, Refused for what is set elsewhere."""
    told = rules.checked(wanted)
    if fixed := sorted(given(settings) & set(told)):
        raise Refused(
            f"Environment or instance/tocsin.toml says this already, and wins: {', '.join(fixed)}. Change it there."
        )
    with transaction(actor, now) as ledger:
        before = said(settings)
        changed = [name for name, words in told.items() if words != before.get(name, "")]
        if not changed:
            ledger.unchanged()
            return []
        demand_seen(seen, before)
        rows.keep({name: told[name] for name in changed}, facts=FACTS, by=actor, now=now)
        ledger.write("organisation.changed", "organisation", fields=changed)
    return changed
