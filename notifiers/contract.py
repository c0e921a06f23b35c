"""The words every channel speaks: what is sent, what was answered, what was reported later.

Nothing here knows a provider, a database or the web. The rules in `incident.domain` may read this file;
the adapters beside it may import it; it imports nothing but the standard library.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from html import escape
from itertools import repeat
from typing import Final, NamedTuple, Protocol, Self, overload, runtime_checkable


@dataclass(frozen=True, slots=True)
class Part:
    """Letters with a `%s` for each place that a person's own word fills, and the number of the word for each of them."""

    letters: str
    places: tuple[int, ...] = ()

    def filled(self, words: Sequence[str]) -> str:
        """The letters with the words in their places."""
        return self.letters % tuple([words[place] for place in self.places]) if self.places else self.letters


class Despite(StrEnum):
    """A list that a provider keeps of people who are not to be written to, and that a notice may pass over."""

    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What the messages to many people share: subject and text in plain letters, and HTML where there is some.

    `despite` names the lists that the notice passes over, as somebody decided and somebody else approved.
    """

    text: Part
    subject: Part = Part("")
    html: Part = Part("")
    despite: tuple[Despite, ...] = ()


class _Fields(NamedTuple):
    ref: str
    to: str
    language: str
    thread: str
    frame: Frame
    words: tuple[str, ...]


class Message(_Fields):
    """One text for one person by one channel. It has exactly one addressee.

    `ref` is opaque and belongs to one attempt; it is all that a provider learns from us beside address and text.
    `thread` stays the same over the attempts of one delivery (the Message-ID of an e-mail is made of it).
    A message is whole letters, or a `frame` that it shares with others and its own `words`, each in one line.
    """

    __slots__ = ()

    def __new__(
        cls,
        ref: str,
        to: str,
        text: str = "",
        subject: str = "",
        html: str = "",
        language: str = "en",
        thread: str = "",
        *,
        frame: Frame | None = None,
        words: tuple[str, ...] = (),
    ) -> Self:
        return super().__new__(
            cls, ref, to, language, thread, frame or Frame(Part(text), Part(subject), Part(html)), words
        )

    @classmethod
    def framed(
        cls,
        refs: Iterable[str],
        to: Iterable[str],
        language: str,
        threads: Iterable[str],
        frame: Frame,
        words: Iterable[tuple[str, ...]],
    ) -> "list[Message]":
        """Messages to many people in one frame: each of these in the order of the people."""
        fields = zip(refs, to, repeat(language), threads, repeat(frame), words, strict=False)
        return list(map(_as_message, fields))

    @property
    def subject(self) -> str:
        """The subject in plain letters, one line."""
        return self.frame.subject.filled(self.words)

    @property
    def text(self) -> str:
        """The text in plain letters."""
        return self.frame.text.filled(self.words)

    @property
    def html(self) -> str:
        """The HTML, its words escaped; empty where there is none."""
        return self.frame.html.filled(self.escaped) if self.frame.html.places else self.frame.html.letters

    @property
    def escaped(self) -> tuple[str, ...]:
        """The words as HTML takes them, in an element or a quoted attribute."""
        return tuple([escape(word) for word in self.words])


_as_message: Final = partial(tuple.__new__, Message)  # a third of the time that a call of the class takes


class Outcome(StrEnum):
    """What a provider's answer says about one message."""

    ACCEPTED = "accepted"  # taken: the provider has it now
    REFUSED = "refused"  # this message will never be taken: do not try the same again
    LATER = "later"  # certainly not taken, may be taken another time
    STOP = "stop"  # certainly not taken, and neither will any other be: credentials, sender, account
    UNKNOWN = "unknown"  # no answer, or one that does not say: it may have been taken
    BY_HAND = "by_hand"  # nobody was asked: a person of the team will do it


class Answer(NamedTuple):
    """What became of one message of a batch at the moment of sending.

    `reason` is a word of ours in snake case, `code` the provider's number or enhanced status, `wait` the seconds
    the provider asked us to wait. None of them holds an address or a text.
    """

    ref: str
    outcome: Outcome
    provider_id: str = ""
    reason: str = ""
    code: str = ""
    wait: float | None = None


class Alike(Sequence[Answer]):
    """One answer for every message of a batch, in the batch's order: what most batches get, kept as one."""

    __slots__ = ("answer", "refs")

    def __init__(self, refs: Sequence[str], answer: Answer) -> None:
        self.refs, self.answer = refs, answer

    def __len__(self) -> int:
        return len(self.refs)

    @overload
    def __getitem__(self, place: int) -> Answer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Answer]: ...
    def __getitem__(self, place: int | slice) -> Answer | Sequence[Answer]:
        if isinstance(place, slice):
            return Alike(self.refs[place], self.answer)
        return self.answer._replace(ref=self.refs[place])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class Status(StrEnum):
    """What a provider reports later about one message."""

    ACCEPTED = "accepted"  # on its way
    DEFERRED = "deferred"  # the receiving side said "later"; the provider goes on trying
    DELIVERED = "delivered"  # the receiving side took it: the best that a message can prove
    ACKNOWLEDGED = "acknowledged"  # a human answered: somebody pressed a key on the telephone
    BOUNCED = "bounced"  # the receiving side refused it for good
    BLOCKED = "blocked"  # the receiving side refused it this time
    FAILED = "failed"  # the provider did not send it
    COMPLAINED = "complained"  # the person marked it as unwanted
    UNSUBSCRIBED = "unsubscribed"  # the person asked for no more
    TRACKED = "tracked"  # opened or clicked: tracking is off, so this must not occur
    ALARM = "alarm"  # about the account, not about a message
    UNKNOWN = "unknown"  # a word we do not know: kept, never guessed


@dataclass(frozen=True, slots=True)
class Event:
    """One report of a provider in our words.

    `id` is unique at this provider, so that repeats can be told. `fields` are what the provider said further, without
    addresses, numbers, network addresses or texts.
    """

    id: str
    status: Status
    ref: str = ""
    provider_id: str = ""
    at: datetime | None = None
    reason: str = ""
    code: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callback:
    """A provider's call as it arrived. `url` is the public one that the provider was given; header names in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What a provider is told in answer to its call."""

    content_type: str
    body: bytes


class Forged(Exception):
    """The callback does not bear the provider's signature. The sentence says what was wrong, never what was sent."""


class Misconfigured(Exception):
    """A channel cannot be built from its settings. The sentence names the setting and says what to do."""


@runtime_checkable
class Notifier(Protocol):
    """One provider for one channel.

    `channel` is our word for the kind ("email", "sms"), `provider` the name in hooks and exports, `batch` the most
    messages `send` takes at once, `calls` how many `send` may run at the same time, `rate` the most messages a second
    (0: as fast as it answers), `simulated` says that nothing leaves this machine.
    """

    @property
    def channel(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def batch(self) -> int: ...
    @property
    def calls(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def simulated(self) -> bool: ...

    def send(self, batch: Sequence[Message]) -> Sequence[Answer]:
        """One answer a message, in the order of `batch`. An exception means that nobody knows what happened."""
        ...

    def events(self, callback: Callback) -> list[Event]:
        """What a signed callback reports. Raises Forged."""
        ...


@runtime_checkable
class Portable(Protocol):
    """A channel that another program of ours can build again: `recipe` is what its class is called with, in plain values.

    It holds the provider's secret and goes through a pipe alone.
    """

    @property
    def recipe(self) -> dict[str, str | float | bool]: ...


@runtime_checkable
class Conversation(Protocol):
    """A channel whose provider asks in the middle of a message what to say next. Both look only at what `events` took."""

    def wants(self, callback: Callback) -> str:
        """Our reference of the message whose words are asked for; empty where none is."""
        ...

    def reply(self, callback: Callback, message: Message | None) -> Reply | None:
        """What to say next, None where nothing was asked; without a message where it must not be told (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class Sought:
    """A message of which nobody knows whether it went out, and between which times it was handed over if it was."""

    message: Message
    since: datetime
    until: datetime


class Match(NamedTuple):
    """One message that a provider has and that may be the one sought.

    `ours`: it bears our reference, so it is that one. `certain`: it bears at least our text.
    """

    provider_id: str
    status: Status
    at: datetime | None = None
    reason: str = ""
    code: str = ""
    certain: bool = True
    ours: bool = False


class Finding(NamedTuple):
    """What a provider has of one message sought. `trouble` says why it was not told; then `matches` say nothing."""

    ref: str
    matches: tuple[Match, ...] = ()
    trouble: str = ""


@runtime_checkable
class LooksUp(Protocol):
    """A channel whose provider can be asked which messages it has. Asking changes nothing there.

    `looks_up` is how many it finds at once, 0 where this account cannot be asked; `asked_every` the seconds between two
    questions that it allows.
    """

    @property
    def provider(self) -> str: ...
    @property
    def looks_up(self) -> int: ...
    @property
    def asked_every(self) -> float: ...

    def find(self, sought: Sequence[Sought]) -> list[Finding]:
        """One finding for each, in their order. An exception says nothing of any of them."""
        ...


class Letter(NamedTuple):
    """An e-mail as a mailbox holds it: its number there, its bytes, and whether those are all of it or its headers alone."""

    validity: int
    number: int
    raw: bytes
    size: int
    whole: bool


class Unread(Exception):
    """The mailbox could not be read; the word says why, and names no account."""


@runtime_checkable
class Mailbox(Protocol):
    """A mailbox that is looked at and never changed."""

    def after(self, validity: int, uid: int, *, most: int, largest: int) -> Iterator[Letter]:
        """The messages behind this number, oldest first, at most so many; of larger ones the headers. Raises Unread."""
        ...


@runtime_checkable
class Door(Protocol):
    """What lets signed calls of the house's own systems in."""

    def opened(self, call: Callback, now: datetime) -> bytes:
        """The body of a good call. Raises Forged."""
        ...


class Inbound(Protocol):
    """A provider that takes e-mail in for us and posts it here."""

    @property
    def provider(self) -> str: ...

    def mail(self, callback: Callback) -> bytes:
        """The whole e-mail of a signed post. Raises Forged."""
        ...


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of one installation: the real ones by our word, and a sandbox for each word."""

    real: Mapping[str, Notifier]
    sandbox: Mapping[str, Notifier]

    @property
    def only_sandbox(self) -> bool:
        """Whether no provider is set, so that nothing can leave this machine."""
        return not self.real

    def open(self, *, simulated: bool) -> Mapping[str, Notifier]:
        """What a dispatch may use: the sandbox for rehearsals, the providers for real ones, never both."""
        return self.sandbox if simulated else self.real

    def reporting(self, provider: str) -> Notifier | None:
        """The real channel that gets this provider's callbacks, if there is one."""
        return next((channel for channel in self.real.values() if channel.provider == provider), None)
