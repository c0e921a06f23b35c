"""Send a text to oneself before anybody else gets it. A trial is marked as one and never counts as telling anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from incident.actions import devices, oneself, reach
from incident.actions.ledger import transaction
from incident.actions.previews import Wording
from incident.actions.settling import packed
from incident.actions.throttled import take
from incident.domain import layouts, merges, starters
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Channel
from incident.domain.people import Addressee
from incident.domain.readiness import BY_HAND
from incident.domain.remedies import EXAMPLE, MOST
from incident.domain.wording import Escape, Pattern, Unfilled, for_header, for_html, for_text
from incident.store import dispatches, incidents, mailbox, members, notices, readiness, users
from incident.store.db import new_secret_ref
from incident.store.sealed import sealer
from incident.store.users import User
from notifiers.contract import Answer, Channels, Message, Notifier, Outcome

MARK: Final = "[Test] "
SPOKEN_MARK: Final = "Test. "
LOST: Final = "The provider’s answer was lost: the test may arrive, or not."
KEPT: Final = "The test is in the sandbox’s mailbox: no provider is set, or this is a drill."
SAMPLE_KINDS: Final = ("email", "name")
SAMPLE_CODE: Final = "0-0000000000"
CHANNELS: Final = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.PUSH)
LONGEST_TOKEN: Final = 4_096
LARGEST_TEAM: Final = 20
WHERE: Final = {
    Channel.EMAIL: "to your own address",
    Channel.SMS: "to your own telephone",
    Channel.CALL: "to your own telephone",
    Channel.PUSH: "to your own device",
}
NOWHERE: Final = "(your own telephone)"
"""Stands for a number or a token that the sandbox does not need."""
NO_NUMBER: Final = "Prove your own telephone number first, under Account: a test goes to nobody else."
UNPROVED: Final = {
    Channel.SMS: NO_NUMBER,
    Channel.CALL: NO_NUMBER,
    Channel.PUSH: "Prove a device of your own first, under Account: a test goes to nobody else.",
}


@dataclass(frozen=True)
class Trial:
    """What is tried, and by whom it is read: oneself, or everybody on the incident's team.

    For push it goes to the device that they proved, or to another one whose token is given; that one is kept nowhere.
    """

    channel: Channel = Channel.EMAIL
    token: str = ""
    to_team: bool = False


def send(
    incident: str,
    ref: str,
    wording: Wording,
    *,
    channels: Channels,
    actor: str,
    now: datetime,
    trial: Trial = Trial(),
) -> str:
    """Send this text to the one who asks, by one channel; a sentence on what became of it. Raises Refused, Invalid, Missing.

    It goes to their own address, to the number that they proved, or to a device of theirs. In a drill and without a
    provider it stays in the sandbox. The line is written before the message is handed over.
    """
    user = users.by_ref(actor)
    if user is None:
        raise Missing()
    if trial.channel not in CHANNELS:
        raise Invalid("channel", "There is no test by this way: look at its preview instead.")
    if trial.channel is not Channel.EMAIL or trial.to_team:
        take("to_oneself", actor, now=now)
    with transaction(actor, now) as ledger:
        found = incidents.by_ref(incident)
        notice = notices.by_ref(found.id, ref) if found else None
        if found is None or notice is None:
            raise Missing()
        if dispatches.frozen():
            raise Refused("All sending is frozen just now, tests too.")
        notifier = _notifier(channels, trial.channel, is_drill=found.kind == "drill")
        readers = _readers(found.id, user, trial)
        made = [
            _message(wording, new_secret_ref(), to, one.name, trial.channel)
            for one in readers
            if (to := _address(one, trial, simulated=notifier.simulated, alone=not trial.to_team))
        ]
        if not made:
            raise Invalid("channel", "Nobody on the team has an address that is proved for this way.")
        ledger.write(
            "notice.tested",
            ref,
            incident=incident,
            channel=str(trial.channel),
            attempt=made[0].ref,
            simulated=notifier.simulated,
            readers=len(made),
        )
        if notifier.simulated or trial.channel is Channel.CALL:  # a call asks for its words while it is under way
            _keep(found.id, ref, made, trial.channel, now)
    if notifier.simulated:
        return KEPT
    answers = handed_over(notifier, made, trial.channel, actor=actor, now=now)
    return said(answers[0], trial.channel) if not trial.to_team else _told(answers, len(readers))


def _readers(incident_id: int, user: User, trial: Trial) -> list[User]:
    """Who reads the test. Raises Invalid where the team is empty, or too large for a test."""
    if not trial.to_team:
        return [user]
    team = [row.user for row in members.of(incident_id) if row.user.active and not row.capacity]
    if not team:
        raise Invalid("channel", "Nobody is on the team of this incident yet: add them on its Team page first.")
    if len(team) > LARGEST_TEAM:
        raise Invalid("channel", f"A test goes to at most {LARGEST_TEAM} colleagues.")
    return team


def _notifier(channels: Channels, channel: Channel, *, is_drill: bool) -> Notifier:
    opened = channels.open(simulated=is_drill or channel not in channels.real)
    notifier = opened[str(channel)]
    demand_a_machine(notifier)
    return notifier


def demand_a_machine(notifier: Notifier) -> None:
    """Raises Refused where people of the house make the calls."""
    if notifier.provider == BY_HAND:
        raise Refused("Your own people make the calls here, so there is no call to test.")


def _address(user: User, trial: Trial, *, simulated: bool, alone: bool) -> str:
    """Where the test goes; empty for a colleague who proved no number or device. Raises Invalid where the one who asks has none."""
    if trial.channel is Channel.EMAIL:
        return user.email
    named = trial.token.strip()[:LONGEST_TOKEN] if trial.channel is Channel.PUSH and alone else ""
    try:
        return named or (devices.proved_token(user) if trial.channel is Channel.PUSH else reach.proved_number(user))
    except Invalid:
        if simulated or not alone:
            return NOWHERE if simulated else ""
        raise Invalid("channel", UNPROVED[trial.channel]) from None


def own_address(user: User, trial: Trial) -> str:
    """Where a real test to oneself goes. Raises Invalid where the one who asks has no such address."""
    return _address(user, trial, simulated=False, alone=True)


def _message(wording: Wording, ref: str, to: str, name: str, channel: Channel) -> Message:
    """Return the message as if the one who asks were affected, marked as a test."""
    language = wording.text.language
    page = wording.page(channel)
    made = layouts.composed(page, channel, wording.values)
    somebody = Addressee(0, name, to, "", (), "", language, "", name, SAMPLE_KINDS, code=SAMPLE_CODE)
    somebody = somebody._replace(remedies=(EXAMPLE,) * MOST)
    words = merges.person_values(somebody, starters.words(language))

    def filled(pattern: Pattern | None, escape: Escape) -> str:
        return pattern.filled(words, escape) if pattern else ""

    try:
        subject, text = filled(made.subject, for_header), filled(made.text, for_text)
        html = filled(made.html, for_html)
    except Unfilled as gap:
        raise Invalid(gap.field, f"{gap.sentence} Add it first, or say it without the field.") from None
    if channel is Channel.SMS:
        text = MARK + text
    elif channel is Channel.CALL:
        text = SPOKEN_MARK + text
    return Message(
        ref=ref, to=to, subject=MARK + subject if subject else "", text=text, html=html, language=language, thread=ref
    )


def _keep(incident_id: int, notice_ref: str, made: Sequence[Message], channel: Channel, now: datetime) -> None:
    key = sealer(incident_id)
    mailbox.keep_messages(
        [
            {
                "incident_id": incident_id,
                "ref": message.ref,
                "channel": str(channel),
                "person_number": None,
                "notice_ref": notice_ref,
                "kept_at": now,
                "sealed": key.seal(f"sandbox_message.sealed:{message.ref}", packed(message)),
            }
            for message in made
        ]
    )


def _told(answers: Sequence[Answer], team: int) -> str:
    """What became of a test to the team, in figures."""
    outcomes = [answer.outcome for answer in answers]
    taken, lost = outcomes.count(Outcome.ACCEPTED), outcomes.count(Outcome.UNKNOWN)
    said = [f"{taken} of {team} on the team: the test is on its way."]
    if lost:
        said.append(f"Of {lost} the provider’s answer was lost.")
    if refused := len(answers) - taken - lost:
        said.append(f"{refused} were not taken by the provider.")
    if left := team - len(answers):
        said.append(f"{left} proved no number or device.")
    return " ".join(said)


def handed_over(
    notifier: Notifier, made: Sequence[Message], channel: Channel, *, actor: str, now: datetime
) -> list[Answer]:
    """Hand tests over one by one, so that an answer that is lost says nothing of the others; the answers.

    A channel counts as tried once its provider took one. A dead token takes back the proof of the actor's device.
    """
    answers = [oneself.answered(notifier, message) for message in made]
    taken = [answer.ref for answer in answers if answer.outcome is Outcome.ACCEPTED]
    if taken:
        with transaction(actor, now) as ledger:
            readiness.keep_trial(str(channel), notifier.provider, actor=actor, now=now)
            ledger.write("channel.proved", str(channel), attempt=taken[0], provider=notifier.provider)
    for message, answer in zip(made, answers, strict=True) if channel is Channel.PUSH else ():
        devices.note(answer, message.to, actor=actor, now=now)
    return answers


def said(answer: Answer, channel: Channel) -> str:
    """What became of a test, in a sentence."""
    if answer.outcome is Outcome.ACCEPTED:
        return f"The test is on its way {WHERE[channel]}."
    if answer.outcome is Outcome.UNKNOWN:
        return LOST
    if answer.reason == devices.DEAD:
        return devices.GONE
    return f"The provider did not take the test: {answer.reason.replace('_', ' ') or 'no reason given'}."
