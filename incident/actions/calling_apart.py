"""A program of its own that writes batches and hands them over, so that the one that keeps the books does nothing else.

It gets all it needs through a pipe (`actions/carriers.py` is at its other end): the data key, the approved text, the
channel, then one batch after the other, each of which was begun in a transaction before it was passed on. It says that a batch
is about to be handed over before its first byte goes out: of whatever was not said, everybody knows that nobody was called. It
knows no database, keeps nothing, and ends with the pipe, whatever it is doing.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from threading import Lock
from typing import IO, Any, Final, NamedTuple

from incident import heaps as heaps  # before there are threads
from incident.actions.composing import Sketch, composed
from incident.actions.opening import Envelopes
from incident.actions.pipes import Gone, said, say, settle_in
from incident.actions.texts import Texts
from incident.store.ciphers import Sealer
from notifiers.contract import Alike, Answer, Message, Notifier

SHARE: Final = 0.0005  # seconds that a thread computes while others wait


class Row(NamedTuple):
    """A row of a batch."""

    ref: str
    person_id: int
    person_number: int


class Calls:
    """The calls of one channel of one sending."""

    def __init__(self, out: IO[bytes], keys: str, contents: str, thread: str, channel: Notifier) -> None:
        self._out, self._thread, self._notifier = out, thread, channel
        self._key, self._texts = Sealer.taken_over(keys), Texts(json.loads(contents), channel.channel)
        self._pool, self._lock = ThreadPoolExecutor(channel.calls, "call"), Lock()

    def say(self, *words: Any) -> None:
        """Tell whoever keeps the books. Nobody listens any more: then there is nothing left to do."""
        try:
            with self._lock:
                say(self._out, *words)
        except BrokenPipeError:
            os._exit(0)

    def take(self, fence: int, rows: Sequence[Sequence[Any]], people: Sequence[Any], gone: Sequence[int]) -> None:
        """Write a batch, and have it handed over."""
        try:
            draft = Sketch(
                [Row(*row) for row in rows],
                self._notifier.channel,
                self._thread,
                Envelopes(self._key, people),
                frozenset(gone),
                {},
            )
            to_send, known = composed(draft, self._texts, self._warn)
        except Exception as error:
            self.say("unwritten", fence, type(error).__name__)
            return
        self._pool.submit(self._hand_over, fence, to_send, known)

    def _warn(self, event: str, **fields: str) -> None:
        self.say("warning", 0, event, fields)

    def _hand_over(self, fence: int, to_send: Sequence[Message], known: Mapping[str, Answer]) -> None:
        self.say("begun", fence)
        began = time.monotonic()
        try:
            answers = self._notifier.send(to_send) if to_send else []
        except Exception as error:
            self.say("lost", fence, type(error).__name__)
            return
        seconds = time.monotonic() - began
        if isinstance(answers, Alike) and not known:
            self.say("alike", fence, seconds, *plain(answers.answer))
        else:
            self.say("answered", fence, seconds, [plain(answer) for answer in (*known.values(), *answers)])


def plain(answer: Answer) -> tuple[Any, ...]:
    """An answer as it goes through a pipe."""
    return answer.ref, answer.outcome.value, *answer[2:]


def channel_of(module: str, name: str, settings: Mapping[str, Any]) -> Notifier:
    """A channel built again as it was built at the other end."""
    channel: Notifier = getattr(import_module(module), name)(**settings)
    return channel


def main() -> int:
    """Take batches from standard input until it ends, and tell standard output what becomes of them."""
    heard, out, sys.stdout = sys.stdin.buffer, sys.stdout.buffer, sys.stderr
    for asked_to_stop in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # meant for whoever keeps the books, which ends us when it is done
        signal.signal(asked_to_stop, signal.SIG_IGN)
    settle_in()
    sys.setswitchinterval(SHARE)
    with suppress(Gone, BrokenPipeError):
        keys, contents, thread, channel = said(heard)
        calls = Calls(out, keys, contents, thread, channel_of(*channel))
        calls.say("ready", 0)
        while True:
            calls.take(*said(heard))
    os._exit(0)  # whatever is under way is nobody's any more: the other end counts it as lost


if __name__ == "__main__":
    sys.exit(main())
