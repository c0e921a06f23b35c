"""Alerts to the team's own tools through apprise: chats, pagers, push services. The address of a message is a target's URL.

Each message is spoken by a process of its own (`apprise_child.py`), which sees nothing of this installation but the message.
Apprise says yes or no and little else; where no HTTP answer shows that a target said no, nobody knows what happened.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome

PROVIDER: Final = "apprise"
SECONDS: Final = 25.0
NOWHERE: Final = "/"


class AppriseAlert:
    """`allow` says how far a target may reach: "outside" (public addresses under encryption), "loopback", "inside"."""

    channel = "alert"
    provider = PROVIDER
    simulated = False
    batch = 1
    calls = 2
    rate = 0.0

    def __init__(self, *, allow: str = "outside", seconds: float = SECONDS) -> None:
        self._allow, self._seconds = allow, seconds

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """One answer a message, in the order of `batch`."""
        return [self._send(message) for message in batch]

    def events(self, callback: Callback) -> list[Event]:
        """A target calls nobody back, so whatever claims to come from one is forged."""
        raise Forged("A target of alerts reports nothing here.")

    def kind(self, url: str) -> tuple[str, str]:
        """What service a target's URL names, or nothing and the reason why it may not be used. Sends nothing."""
        said = self._asked({"url": url, "subject": "", "text": "", "check": "yes"})
        return said.get("kind", ""), "" if said.get("outcome") == "accepted" else said.get("reason", "target_unknown")

    def _send(self, message: Message) -> Answer:
        said = self._asked({"url": message.to, "subject": message.subject, "text": message.text})
        return Answer(message.ref, Outcome(said["outcome"]), reason=said.get("reason", ""), code=said.get("code", ""))

    def _asked(self, order: dict[str, str]) -> dict[str, str]:
        """What the process answers. One that was too slow, or died, may have sent."""
        command = [sys.executable, "-I", "-m", "notifiers.apprise_child"]
        try:
            done = subprocess.run(  # noqa: S603 (our own interpreter and module)
                command,
                input=json.dumps(order | {"allow": self._allow}),
                capture_output=True,
                text=True,
                timeout=self._seconds,
                cwd=NOWHERE,
                env={},
                check=False,
            )
            said: dict[str, str] = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return {"outcome": Outcome.UNKNOWN.value, "reason": "answer_lost"}
        except OSError:
            return {"outcome": Outcome.LATER.value, "reason": "not_started"}
        return said
