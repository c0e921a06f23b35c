"""Answers that no single fact holds: people counted, notices sent, steps done, duties met. Text in, nothing else touched."""

from collections.abc import Callable, Mapping

from incident.domain import places
from incident.domain.dossier import Dossier, GradeLine, NoticeLine
from incident.domain.facts import vocabulary
from incident.domain.phrases import chinese, instant
from incident.domain.scales import CAPTIONS, Scale

MOST_STEPS = 40
UNTOLD = frozenset({"draft", "submitted", "sent_back", "withdrawn"})
TO_DO = frozenset({"open", "taken"})

Computation = Callable[[Dossier, str], str]


def answer(name: str, dossier: Dossier, language: str) -> str:
    """What the computation called `name` says of this incident; empty while it has nothing to say."""
    if name.startswith("people_in:"):
        return people_in(dossier, name.removeprefix("people_in:"))
    return COMPUTED[name](dossier, language)


def known_as(name: str) -> bool:
    """Whether there is a computation of this name."""
    return name in COMPUTED or (name.startswith("people_in:") and places.is_place(name.removeprefix("people_in:")))


def company(dossier: Dossier, language: str) -> str:
    """Name and address of the organisation."""
    return _lines(dossier.company.name, dossier.company.contact_address)


def contact(dossier: Dossier, language: str) -> str:
    """Whom to ask: person or department, e-mail, telephone, address. Empty without a way to reach them."""
    one = dossier.company
    return (
        _lines(one.contact_name, one.contact_email, one.contact_phone) if one.contact_email or one.contact_phone else ""
    )


def special_kinds(dossier: Dossier, language: str) -> str:
    """The special categories (GDPR Art. 9) and criminal data (Art. 10) among the kinds concerned."""
    return _marked(dossier, {"special", "criminal"}, language)


def sensitive_kinds_cn(dossier: Dossier, language: str) -> str:
    """The sensitive personal information (PIPL Art. 28) among the kinds concerned."""
    return _marked(dossier, {"sensitive_cn"}, language)


def people_total(dossier: Dossier, language: str) -> str:
    """How many people the registry of this incident holds."""
    return f"{dossier.people_total:,}" if dossier.people_total else ""


def people_by_place(dossier: Dossier, language: str) -> str:
    """Where the people of the registry live, largest number first."""
    ranked = sorted(dossier.people_by_place.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{places.named(code, language)} {number:,}" for code, number in ranked)


def people_in(dossier: Dossier, region: str) -> str:
    """How many of the people concerned live in a place: by the fact, else by the registry."""
    by_fact = dossier.known().people_in(region)
    if isinstance(by_fact, int):
        return f"{by_fact:,}"
    counted = places.counted(dossier.people_by_place, region)
    return f"{counted:,}" if counted else ""


def notices(dossier: Dossier, language: str) -> str:
    """What was sent to people: one line a notice, with first day, channels and how many it reached."""
    return "\n".join(_notice(notice, dossier, language) for notice in dossier.notices if notice.first_sent_at)


def notice_samples(dossier: Dossier, language: str) -> str:
    """The notices whose text may be handed over as a sample."""
    return "\n".join(f"{one.ref}: {one.title}" for one in dossier.notices if one.state not in UNTOLD)


def authorities(dossier: Dossier, language: str) -> str:
    """Which authorities have been told, by report."""
    told = (
        _lines(f"{one.authority}: {instant(one.filed_at, dossier.zone, language)}", one.reference)
        for one in dossier.reports
    )
    return "\n".join(line.replace("\n", ", ") for line in told)


def grade(dossier: Dossier, language: str) -> str:
    """The grade that counts on every scale."""
    return "\n".join(graded(one, language) for one in dossier.grades)


def grade_people(dossier: Dossier, language: str) -> str:
    """How severe it is for people."""
    return "\n".join(graded(one, language) for one in dossier.grades if one.scale == Scale.PEOPLE)


def grade_cac(dossier: Dossier, language: str) -> str:
    """The grade by the Chinese guide, with its reasons."""
    found = next((one for one in dossier.grades if one.scale == Scale.CHINA), None)
    return "\n".join([graded(found, language), *found.reasons]) if found else ""


def graded(one: GradeLine, language: str) -> str:
    """One grade in words: scale, level, score, and whether a person has chosen it."""
    score = f" ({one.score})" if one.score else ""
    if language == "zh":
        words = chinese()
        suggested = "" if one.chosen else "，系统建议"
        return (
            f"{words['scale'].get(one.scale, one.scale)}：{words['level'].get(one.level, one.level)}{score}{suggested}"
        )
    caption = CAPTIONS[Scale(one.scale)] if one.scale in set(Scale) else one.scale
    return f"{caption}: {one.level.replace('_', ' ')}{score}{'' if one.chosen else ', suggested'}"


def steps_done(dossier: Dossier, language: str) -> str:
    """The finished steps of the response plan, oldest first."""
    done = sorted((step.finished_at, step.title) for step in dossier.steps if step.finished_at)
    return "\n".join(f"{title} ({instant(at, dossier.zone, language)})" for at, title in done[:MOST_STEPS])


def steps_open(dossier: Dossier, language: str) -> str:
    """The steps still to do."""
    left = [step.title for step in dossier.steps if step.state in TO_DO]
    return "\n".join(left[:MOST_STEPS])


def evidence(dossier: Dossier, language: str) -> str:
    """How much evidence is kept, each piece under its digest."""
    return "\n".join(f"{one.ref}: SHA-256 {one.sha256}, {one.size:,} bytes" for one in dossier.evidence[:MOST_STEPS])


def lessons(dossier: Dossier, language: str) -> str:
    """The review after the incident."""
    return "\n".join(f"{line.label}: {line.text}" for line in dossier.review if line.text)


COMPUTED: Mapping[str, Computation] = {
    "authorities": authorities,
    "company": company,
    "contact": contact,
    "evidence": evidence,
    "grade": grade,
    "grade_cac": grade_cac,
    "grade_people": grade_people,
    "lessons": lessons,
    "notice_samples": notice_samples,
    "notices": notices,
    "people_by_place": people_by_place,
    "people_total": people_total,
    "sensitive_kinds_cn": sensitive_kinds_cn,
    "special_kinds": special_kinds,
    "steps_done": steps_done,
    "steps_open": steps_open,
}


def _notice(notice: NoticeLine, dossier: Dossier, language: str) -> str:
    when = instant(notice.first_sent_at, dossier.zone, language) if notice.first_sent_at else ""
    how = ", ".join(notice.channels)
    if language == "zh":
        rehearsed = f"；其中 {notice.simulated:,} 人仅为演练，并未通知" if notice.simulated else ""
        return f"{notice.title}：{when} 起，{how}；应通知 {notice.people:,} 人，已送达 {notice.reached:,} 人{rehearsed}"
    rehearsed = f", {notice.simulated:,} only simulated and not told" if notice.simulated else ""
    return (
        f"{notice.title}: from {when} by {how}; {notice.people:,} people to tell, {notice.reached:,} reached{rehearsed}"
    )


def _marked(dossier: Dossier, flags: set[str], language: str) -> str:
    value = dossier.value("data_kinds")
    if not isinstance(value, tuple):
        return ""
    kinds = [vocabulary().kinds[word] for word in value if word in vocabulary().kinds]
    marked = [kind for kind in kinds if flags & kind.flags]
    if language == "zh":
        return "、".join(kind.zh for kind in marked) or "无"
    return ", ".join(kind.en for kind in marked) or "none"


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
