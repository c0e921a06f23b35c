"""The law library as a page to read (Markdown): every law and duty with condition, clock, citation and how well it was read."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

from incident.domain import places
from incident.domain.clock import Limit, Roll
from incident.domain.editions import Edition, LawText
from incident.domain.laws import (
    CHANNELS,
    RECIPIENTS,
    Bound,
    Citation,
    Confidence,
    Deadline,
    Duty,
    Hold,
    Law,
    Resume,
    anchors,
    elements,
)
from incident.exports.clausewords import condition

ROLLS = {
    Roll.NO: "",
    Roll.NEXT_WORKING_DAY: "a last day off moves to the next working day",
    Roll.NOON_OF_NEXT_WORKING_DAY: "a last day off moves to noon of the next working day",
}
RESUMED = {
    Resume.AT_ONCE: "the first limit stands, or that day if it ended meanwhile",
    Resume.AFRESH: "the whole limit runs again",
    Resume.PAUSED: "the time of the hold is added",
}
HOW = (
    "Made from the law files by `make docs-laws`; whoever changes a law file makes it again. "
    "How a file is built: [incident/laws/README.md](../incident/laws/README.md). How to add one: [add-a-law.md](add-a-law.md)."
)


def paper(made: Edition) -> str:
    """The page over an edition of the laws."""
    texts = {text.path: text for text in made.texts}
    groups = _by_place(made.book)
    parts = [_head(made), _index(groups)]
    for place, laws in groups:
        parts.append(f"## {_heading(place)}\n")
        parts += [_law(law, texts[law.path]) for law in laws]
    return "\n".join(parts).rstrip() + "\n"


def _head(made: Edition) -> str:
    duties = [duty for law in made.book for duty in law.duties]
    counts = Counter(duty.confidence for duty in duties)
    rows = "".join(f"| {word.value} | {word.words} | {counts[word]} |\n" for word in Confidence)
    return (
        f"# The law library\n\n{HOW}\n\n"
        f"Version {made.version}: {len(made.book)} laws, {len(duties)} duties. Digest: `{made.library_digest}`.\n\n"
        "Exceptions of a law lift each of its duties that does not say otherwise. A stroke parts answers of which one is enough.\n\n"
        "This is no legal advice. How well each duty was read stands beside it; what was not read in the law itself, counsel confirms.\n\n"
        f"| confidence | means | duties |\n|---|---|---|\n{rows}"
    )


# Places ---------------------------------------------------------------------------------------------------------------


def _by_place(laws: Iterable[Law]) -> list[tuple[str, list[Law]]]:
    """Laws by country or group of countries, in the order of their names; those of a state beside those of its country."""
    ordered = sorted(laws, key=lambda law: (_heading(_country(law)), law.place.count("-"), law.place, law.id))
    return [(place, list(held)) for place, held in groupby(ordered, key=_country)]


def _country(law: Law) -> str:
    return law.place.partition("-")[0]


def _heading(place: str) -> str:
    name = places.named(place)
    return name[4:] if name.startswith("the ") else name[0].upper() + name[1:]


def _index(groups: Iterable[tuple[str, list[Law]]]) -> str:
    rows = [f"- {_heading(place)}: {', '.join(_link(law) for law in laws)}" for place, laws in groups]
    return "## Index\n\n" + "\n".join(rows) + "\n"


def _link(law: Law) -> str:
    return f"[{_plain(law.id)}](#{law.id.lower()})"


# One law --------------------------------------------------------------------------------------------------------------


def _law(law: Law, text: LawText) -> str:
    raw = tomllib.loads(text.data.decode("utf-8"))
    rows = [
        ("Authority", _plain(law.authority)),
        ("Place", f"{places.named(law.place)} ({law.place})"),
        ("Kind", "a contract" if law.kind == "contract" else ""),
        ("Sector", law.sector.replace("_", " ")),
        ("Not in force", "" if law.in_force else "listed, never owed"),
        ("Set aside", _plain(law.overruled)),
        ("Sets aside", f"{law.overrules}: {_plain(law.overrules_because)}" if law.overrules else ""),
        ("Speaks to", condition(raw.get("scope"), law.place)),
        ("Set off by", condition(raw.get("trigger"), law.place)),
        *(("Unless", _exemption(one, law.place)) for one in raw.get("unless", ())),
        ("Reading", _plain(law.reading)),
        ("Status", _plain(law.status)),
        ("File", f"`{law.path}`"),
    ]
    by_id = {str(row.get("id")): row for row in raw.get("duty", ())}
    duties = "\n".join(_duty(duty, law, by_id[duty.id], bool(raw.get("unless"))) for duty in law.duties)
    return f"### {_plain(law.id)}\n\n{_plain(law.name)}\n\n{_list(rows)}\n{duties}"


def _duty(duty: Duty, law: Law, raw: Mapping[str, Any], shared: bool) -> str:
    rows = [
        ("To", f"{RECIPIENTS[duty.to]}{f', {_words(duty.stage)}' if duty.stage else ''}"),
        ("Advised", "asked for by the authority, owed by no law" if duty.voluntary else ""),
        ("When", condition(raw.get("when"), law.place)),
        *(("Clock", clock) for clock in _clocks(duty, raw, law.place)),
        ("Before", f"the duty `{duty.before}`" if duty.before else ""),
        ("Hold", _hold(duty.hold)),
        *(("Unless", _exemption(one, law.place)) for one in raw.get("unless", ())),
        ("Keeps", "the exceptions above do not lift it" if shared and raw.get("keeps") else ""),
        ("Must say", "; ".join(elements()[word] for word in duty.contents)),
        ("Must not say", "; ".join(elements()[word] for word in duty.forbidden)),
        *(("Must offer", _service(one, law.place)) for one in raw.get("services", ())),
        ("Ways", "; ".join(f"{one.label}{f' ({one.says})' if one.says else ''}" for one in duty.channels)),
        *(("In place of each", _substitute(one, law.place)) for one in _rows(raw.get("substitute", ()))),
        ("Language", ", ".join(duty.language)),
        ("Form", _form(duty)),
        ("Guardians", f"told for those younger than {duty.guardian_under}" if duty.guardian_under else ""),
        ("Note", _plain(duty.note)),
        ("In force", _period(duty.since, duty.until)),
        ("Source", _cite(duty.cite)),
        ("Confidence", f"{duty.confidence.value}: {duty.confidence.words}"),
    ]
    return f"**{_plain(duty.title)}** (`{duty.id}`)\n\n{_list(rows)}"


def _list(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"- {name}: {words}\n" for name, words in rows if words)


def _rows(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


# Clocks ---------------------------------------------------------------------------------------------------------------


def _clocks(duty: Duty, raw: Mapping[str, Any], place: str) -> Iterator[str]:
    for deadline, row in zip(duty.deadlines, _rows(raw["deadline"]), strict=True):
        when = condition(row.get("when"), place)
        period = _period(deadline.since, deadline.until)
        yield ", ".join(filter(None, (_clock(deadline), when and f"where {when}", period)))


def _clock(deadline: Deadline) -> str:
    parts = [f"“{_plain(deadline.words)}”" if deadline.words else ""]
    if deadline.bound:
        parts.append(_bound(deadline.bound))
    elif deadline.with_duty:
        parts.append(f"not later than the duty `{deadline.with_duty}`")
    else:
        parts.append("no deadline in law")
    parts += [
        f"at the latest {_bound(cap)}{' (unless the first clock may start after that)' if cap.lifted_if_later else ''}"
        for cap in deadline.caps
    ]
    parts += [f"or, if later, {_bound(deadline.later)}"] if deadline.later else []
    parts += [f"longer by {_bound(deadline.extension)}"] if deadline.extension else []
    parts += [f"advised: {_bound(deadline.guideline)}"] if deadline.guideline else []
    return ", ".join(filter(None, parts))


def _bound(bound: Bound) -> str:
    return f"{_limit(bound.limit)} from when {_plain(anchors()[bound.anchor].moment)}"


def _limit(limit: Limit) -> str:
    first = ", the first day counting," if limit.first_day_counts else ""
    roll = ROLLS.get(limit.roll, "as Regulation 1182/71 counts")
    return f"{limit.words()}{first}{f' ({roll})' if roll else ''}"


def _period(since: date | None, until: date | None) -> str:
    return " ".join(filter(None, (f"since {since}" if since else "", f"until {until}" if until else "")))


def _hold(hold: Hold) -> str:
    if not hold.allowed:
        return ""
    said = f"; {_plain(hold.says)}" if hold.says else ""
    return f"waits for law enforcement; afterwards {RESUMED[hold.resume]}{said}"


# Parts ----------------------------------------------------------------------------------------------------------------


def _exemption(raw: Mapping[str, Any], place: str) -> str:
    keep = f"; keep {raw['keep']}" if raw.get("keep") else ""
    years = f" for {raw['keep_years']} years" if raw.get("keep_years") else ""
    tell = f"; show it to {RECIPIENTS[raw['tell']]}" if raw.get("tell") else ""
    return f"{_plain(raw['says'])} ({condition(raw['when'], place)}){_plain(keep)}{years}{tell}"


def _service(raw: Mapping[str, Any], place: str) -> str:
    when = condition(raw.get("when"), place)
    return f"{_words(str(raw['what']))}, {raw['months']} months{f', where {when}' if when else ''}"


def _substitute(raw: Mapping[str, Any], place: str) -> str:
    ways = " and ".join(CHANNELS[word] for word in raw["by"])
    days = f", posted for {raw['days']} days" if raw.get("days") else ""
    said = f"; {_plain(raw['says'])}" if raw.get("says") else ""
    holds = f"; it holds: {', '.join(elements()[word] for word in raw['contents'])}" if raw.get("contents") else ""
    return f"{ways}{days}, where {condition(raw['when'], place)}{said}{holds}"


def _form(duty: Duty) -> str:
    if duty.form is None:
        return ""
    name = _plain(duty.form.name) or duty.form.how
    return f"[{name}]({duty.form.href}) ({duty.form.how})" if duty.form.href else f"{name} ({duty.form.how})"


def _cite(cite: Citation) -> str:
    read = f", read on {cite.read_on}" if cite.read_on else ", not read"
    source = f" at <{cite.source}>" if cite.source else ""
    return f"[{_plain(cite.place)}](<{cite.href}>){read}{source}"


def _words(word: str) -> str:
    return word.replace("_", " ")


def _plain(text: str) -> str:
    """Foreign text on one line, without what Markdown would take for its own."""
    plain = " ".join(text.split())
    for sign in ("\\", "*", "_", "[", "]", "<", "`", "|"):
        plain = plain.replace(sign, f"\\{sign}")
    return plain
