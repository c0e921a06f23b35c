"""What would fail on the day: judged from signs that an installation shows before any incident."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from incident.domain import starters
from incident.domain.access import Role

DEPUTIES: Final = (Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS, Role.APPROVER, Role.ADMINISTRATOR)
"""Roles that an incident stands still without, so that each needs two people."""
A_YEAR: Final = timedelta(days=365)
HALF_A_YEAR: Final = timedelta(days=182)
LESSONS_WAIT: Final = timedelta(days=60)
"""A lesson that nobody decided on for longer is a lesson lost."""
OLD_BACKUP: Final = timedelta(days=2)
LOST_BACKUP: Final = timedelta(days=8)
OLD_CHECKPOINT: Final = timedelta(days=2)
MAIN_CHANNELS: Final = ("email", "sms", "letter")
"""Ways to tell people that a breach law may ask for; the others are named where they are set up."""
BY_HAND: Final = "by_hand"
"""The provider of calls that people of the house make."""
SEND_A_TEST: Final = "Send yourself a test under “Ways to reach people”."
MAKE_A_SAMPLE: Final = "Have a sample letter made under “Ways to reach people”, and look at it."
HARBOUR: Final = "harbour"
CHANNEL_WORDS: Final = {"email": "e-mail", "sms": "text message", "call": "telephone call"}
"""Channels whose word is not what people say."""


class Verdict(StrEnum):
    """How one thing stands."""

    FAILS = "fails"
    LOOK = "look"
    READY = "ready"


@dataclass(frozen=True)
class Check:
    """One thing that must be ready: which, how it stands, a sentence on it, what to do, and the room where that is done."""

    word: str
    title: str
    verdict: Verdict
    says: str
    do: str = ""
    room: str = ""


@dataclass(frozen=True)
class Channel:
    """One way to tell people: its provider (empty: only the sandbox), when it was last tried with that one and by whom.

    Without `tried_by` a sending went out by it. `failed_at` is a later test that the provider did not take.
    """

    word: str
    provider: str = ""
    used_at: datetime | None = None
    tried_by: str = ""
    failed_at: datetime | None = None


@dataclass(frozen=True)
class Signs:
    """What an installation shows. Counts of people are of open accounts that can sign in."""

    holders: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    phones: Mapping[str, datetime | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    channels: Sequence[Channel] = ()
    languages_spoken: Mapping[str, int] = field(default_factory=dict)
    languages_written: Sequence[str] = ()
    company_missing: Sequence[str] = ()
    public_address: bool = False
    safe_harbour: bool = False
    domain_says: Sequence[tuple[str, bool | None]] = ()
    domain_seen_at: datetime | None = None
    backup_at: datetime | None = None
    checkpoint_at: datetime | None = None
    record_lines: int = 0
    drills: Mapping[str, datetime] = field(default_factory=dict)
    drill_ended_at: datetime | None = None
    playbooks: Mapping[str, str] = field(default_factory=dict)
    laws_waiting: int = 0
    improvements_late: int = 0
    lessons_waiting: int = 0
    frozen: bool = False


def checked(signs: Signs, now: datetime) -> list[Check]:
    """Everything that is looked at: what fails first, then what somebody should look at, then what is ready."""
    found = [
        *_people(signs, now),
        *_channels(signs, now),
        *_words(signs),
        *_keeping(signs, now),
        *_practice(signs, now),
    ]
    order = list(Verdict)
    return sorted(found, key=lambda check: order.index(check.verdict))


def next_drill(signs: Signs, now: datetime) -> date:
    """When the yearly drill is due: a year after the last one; today where there was none."""
    last = last_drill(signs)
    return (last + A_YEAR if last else now).date()


def last_drill(signs: Signs) -> datetime | None:
    """When the team last drilled: the end of an exercise, or a plan that was followed in a drill."""
    return max((at for at in (*signs.drills.values(), signs.drill_ended_at) if at is not None), default=None)


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


# ---------------------------------------------------------------- people


def _people(signs: Signs, now: datetime) -> Iterator[Check]:
    for role in DEPUTIES:
        yield _deputy(role, signs.holders.get(role, frozenset()))
    yield _second_yes(signs)
    yield _phones(signs, now)


def _deputy(role: Role, holders: frozenset[str]) -> Check:
    word, title = f"deputy.{role}", f"A deputy for the role “{role}”"
    do = "Give the role to a second person, and have that person sign in once."
    if not holders:
        return Check(word, title, Verdict.FAILS, "Nobody who can sign in holds it.", do, "team")
    if len(holders) == 1:
        return Check(word, title, Verdict.FAILS, "Only one person holds it: asleep or ill, nobody does.", do, "team")
    return Check(word, title, Verdict.READY, f"{len(holders)} people hold it.")


def _second_yes(signs: Signs) -> Check:
    """Whoever writes may not approve, so writers and approvers must not be the same single person."""
    word, title = "second_yes", "A second yes for every notice"
    writers = frozenset().union(
        *(signs.holders.get(role, frozenset()) for role in (Role.LEAD, Role.PRIVACY, Role.COMMUNICATIONS))
    )
    approvers = signs.holders.get(Role.APPROVER, frozenset())
    if not approvers - writers and len(approvers) < 2:
        says = "The only one who may approve also writes: what that person writes nobody can approve."
        return Check(word, title, Verdict.FAILS, says, "Make somebody else approver.", "team")
    return Check(word, title, Verdict.READY, "Whoever writes a notice, somebody else can approve it.")


def _phones(signs: Signs, now: datetime) -> Check:
    word, title = "phones", "Telephones of those who are called at night"
    wanted = signs.holders.get(Role.LEAD, frozenset()) | signs.holders.get(Role.PRIVACY, frozenset())
    never = [ref for ref in wanted if signs.phones.get(ref) is None]
    stale = [ref for ref in wanted if (at := signs.phones.get(ref)) is not None and now - at > A_YEAR]
    do = "Each proves their own number under Account: a text or a call brings a code to it."
    if not wanted:
        return Check(word, title, Verdict.FAILS, "There is nobody to call.", do, "account")
    if never:
        names = _named(signs, never)
        return Check(word, title, Verdict.LOOK, f"No proved telephone number: {names}.", do, "account")
    if stale:
        says = f"Proved more than a year ago: {_named(signs, stale)}."
        return Check(
            word, title, Verdict.LOOK, says, "Prove the number again, so that it is known to be right.", "account"
        )
    return Check(word, title, Verdict.READY, "Every lead and privacy officer has a number proved within a year.")


def _named(signs: Signs, refs: Sequence[str]) -> str:
    return ", ".join(sorted(signs.names.get(ref, ref) for ref in refs))


# ---------------------------------------------------------------- channels


def _channels(signs: Signs, now: datetime) -> Iterator[Check]:
    if signs.frozen:
        says, do = "All sending is frozen.", "Reconcile what went out, and lift the freeze."
        yield Check("frozen", "Sending", Verdict.FAILS, says, do, "sending")
    for channel in signs.channels:
        yield of_channel(channel, now)
    yield _domain(signs, now)


def of_channel(channel: Channel, now: datetime) -> Check:
    """How one way to tell people stands: tried with its provider within half a year, tried longer ago, never, or not set up."""
    word, title = f"channel.{channel.word}", f"Channel: {CHANNEL_WORDS.get(channel.word, channel.word)}"
    if not channel.provider:
        says = "No provider is set: what is sent by it stays in the sandbox."
        verdict = Verdict.FAILS if channel.word in MAIN_CHANNELS else Verdict.LOOK
        return Check(
            word, title, verdict, says, "Set a provider in the settings, and send yourself a test.", "settings"
        )
    if channel.provider == BY_HAND:
        return Check(word, title, Verdict.READY, "Your own people make the calls here, so there is no call to test.")
    do = MAKE_A_SAMPLE if channel.word == "letter" else SEND_A_TEST
    if channel.failed_at is not None:
        says = f"The provider ({channel.provider}) did not take the test of {_day(channel.failed_at)}, or its answer was lost."
        return Check(word, title, Verdict.LOOK, says, do, "channels")
    if channel.used_at is None:
        return Check(word, title, Verdict.LOOK, f"Set up ({channel.provider}) and never tried.", do, "channels")
    if now - channel.used_at > HALF_A_YEAR:
        says = f"Last tried on {_day(channel.used_at)} ({channel.provider}), which is more than half a year ago."
        return Check(word, title, Verdict.LOOK, says, do, "channels")
    return Check(word, title, Verdict.READY, f"Tried on {_day(channel.used_at)} ({channel.provider}).")


def _domain(signs: Signs, now: datetime) -> Check:
    word, title, do = (
        "domain",
        "The sender’s domain",
        "Have a notice checked before it goes out: that looks it up in the DNS.",
    )
    wrong = [name for name, right in signs.domain_says if right is False]
    if wrong:
        says = f"Not right in the DNS: {', '.join(wrong)}. Mails may be taken for forged ones."
        return Check(word, title, Verdict.FAILS, says, "Mend the records, then have a notice checked again.", "notices")
    if signs.domain_seen_at is None or not any(right for _, right in signs.domain_says):
        return Check(word, title, Verdict.LOOK, "Nobody has looked at SPF, DKIM and DMARC of it yet.", do, "notices")
    if now - signs.domain_seen_at > HALF_A_YEAR:
        return Check(word, title, Verdict.LOOK, "Last looked at more than half a year ago.", do, "notices")
    return Check(word, title, Verdict.READY, "SPF, DKIM and DMARC were right when last looked at.")


# ---------------------------------------------------------------- words, places


def _words(signs: Signs) -> Iterator[Check]:
    missing = {tag: number for tag, number in signs.languages_spoken.items() if tag not in signs.languages_written}
    if missing:
        said = ", ".join(
            f"{tag} ({number:,} people)" for tag, number in sorted(missing.items(), key=lambda one: -one[1])
        )
        do = "Have a starter text translated and add it under templates/messages, or be ready to write one."
        yield Check(
            "languages", "Texts in people’s languages", Verdict.LOOK, f"No starter text in: {said}.", do, "notices"
        )
    else:
        names = ", ".join(starters.named(tag) for tag in signs.languages_written)
        says = f"Starter texts in {names}; nobody on a list reads only another one."
        yield Check("languages", "Texts in people’s languages", Verdict.READY, says)
    if signs.company_missing:
        says = f"Not set: {', '.join(signs.company_missing)}. Notices and reports must say them."
        do = "Say them under Administration, Your organisation."
        yield Check("company", "Who you are", Verdict.FAILS, says, do, "organisation")
    else:
        yield Check(
            "company", "Who you are", Verdict.READY, "Name, places and contact are set, as notices must give them."
        )
    if signs.public_address:
        yield Check(
            "address", "The address outside", Verdict.READY, "People outside can open the pages that notices name."
        )
    else:
        says = "No public https address is set: links in notices would lead nowhere."
        yield Check("address", "The address outside", Verdict.FAILS, says, "Set TOCSIN_BASE_URL.", "settings")
    yield _harbour(signs)


def _harbour(signs: Signs) -> Check:
    """A promise that only the organisation can make, so that it is offered and never made by itself."""
    word, title = HARBOUR, "A promise to people who look for weaknesses"
    if signs.safe_harbour:
        return Check(word, title, Verdict.READY, "The page for reports promises not to pursue research in good faith.")
    says = "Nothing is promised: whoever finds a weakness may keep it to themselves for fear of you."
    do = "Have counsel read the text, then set TOCSIN_SAFE_HARBOUR=1: the page and security.txt say it from then on."
    return Check(word, title, Verdict.LOOK, says, do, "settings")


# ---------------------------------------------------------------- what is kept


def _keeping(signs: Signs, now: datetime) -> Iterator[Check]:
    do = "Run “tocsin backup FILE”, every night by a timer; keep it elsewhere."
    if signs.backup_at is None:
        yield Check("backup", "A recent backup", Verdict.FAILS, "There never was one.", do)
    elif (age := now - signs.backup_at) > LOST_BACKUP:
        yield Check("backup", "A recent backup", Verdict.FAILS, f"The last one is of {_day(signs.backup_at)}.", do)
    elif age > OLD_BACKUP:
        yield Check("backup", "A recent backup", Verdict.LOOK, f"The last one is of {_day(signs.backup_at)}.", do)
    else:
        yield Check("backup", "A recent backup", Verdict.READY, "Made and read again within two days.")
    late = signs.checkpoint_at is None or now - signs.checkpoint_at > OLD_CHECKPOINT
    if signs.record_lines and late:
        says = "The record was not signed for two days: what is written since could be cut off unseen."
        yield Check("checkpoint", "A signed record", Verdict.LOOK, says, "See that the scheduler runs.", "record")
    else:
        yield Check("checkpoint", "A signed record", Verdict.READY, "Signed within two days.")
    if signs.laws_waiting:
        says = f"Incidents that go by older laws than the library has: {signs.laws_waiting}."
        yield Check("laws", "The laws", Verdict.LOOK, says, "Look at what would change, and take it or not.", "laws")
    else:
        yield Check("laws", "The laws", Verdict.READY, "Every open incident goes by the newest library.")


# ---------------------------------------------------------------- practice


def _learning(signs: Signs) -> Check:
    """Whether what earlier incidents taught is done and decided."""
    word, title = "learning", "What earlier incidents taught"
    if late := signs.improvements_late:
        says = f"Improvements asked for after incidents that are overdue: {late}."
        return Check(word, title, Verdict.LOOK, says, "Finish them, move their day or drop them.", "improvements")
    if waits := signs.lessons_waiting:
        says = f"Lessons that have waited for more than {LESSONS_WAIT.days} days to be adopted or declined: {waits}."
        return Check(word, title, Verdict.LOOK, says, "Adopt or decline them.", "lessons")
    return Check(word, title, Verdict.READY, "No improvement is overdue, and no lesson waits for long.")


def _practice(signs: Signs, now: datetime) -> Iterator[Check]:
    yield _learning(signs)
    last = last_drill(signs)
    do = "Hold a drill: nothing in it reaches a real person."
    if last is None:
        yield Check("drill", "The yearly drill", Verdict.FAILS, "The team has never drilled.", do, "drills")
    elif now - last > A_YEAR:
        yield Check("drill", "The yearly drill", Verdict.FAILS, f"The last one was on {_day(last)}.", do, "drills")
    else:
        says = f"Held on {_day(last)}; the next is due by {_day(last + A_YEAR)}."
        yield Check("drill", "The yearly drill", Verdict.READY, says)
    never = [title for book, title in signs.playbooks.items() if book not in signs.drills]
    if never:
        says = f"Never drilled: {', '.join(never)}."
        yield Check(
            "playbooks", "Plans that were drilled", Verdict.LOOK, says, "Let the next drill be one of these.", "drills"
        )
    else:
        yield Check("playbooks", "Plans that were drilled", Verdict.READY, "Every plan was drilled at least once.")
