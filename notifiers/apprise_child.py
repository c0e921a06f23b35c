"""Speaks to one target of apprise, in a process of its own: `python -m notifiers.apprise_child`, the order on standard input.

A target's address may name any host, and its options any file. So this process is given nothing but the one message, no
environment and no keys; and an audit hook (PEP 578) lets it connect only where it may, open only what belongs to Python and
the system, and start nothing. What it answers is one line of JSON: our word for what became of the message.
"""

import json
import logging
import os
import re
import sys
import sysconfig
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import apprise
from apprise.manager_plugins import NotificationManager

from notifiers.outside import is_public

HTTP_ERROR: Final = re.compile(r"error[= ]+([1-5]\d\d)\b")
NOT_REACHED: Final = ("NewConnectionError", "Failed to establish a new connection", "ConnectTimeout", "NameResolution")
STARTS_SOMETHING: Final = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "pty.spawn",
    "os.startfile",
    "ctypes.dlopen",
    "syslog.openlog",
    "syslog.syslog",
)
SENDS: Final = ("socket.connect", "socket.sendto", "socket.sendmsg")
READABLE: Final = ("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/lib", "/usr/share", "/usr/local/lib", "/dev")
READABLE_FILES: Final = ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/mime.types")
ALLOWED_ALWAYS: Final = ("inside", "loopback")


class Kept(PermissionError):
    """The target wanted something that it may not have."""


class Guard:
    """What the target may do: which addresses it may reach. Remembers what it wanted."""

    def __init__(self, allow: str) -> None:
        self.allow = allow
        self.inside = False
        self.refused = False
        self.reached = False
        places = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), str(Path(__file__).parent)}
        self.readable = tuple({os.path.realpath(place) for place in places} | set(READABLE))
        self.scratch = os.path.realpath(tempfile.gettempdir())

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """The audit hook. Raises Kept."""
        if event in SENDS:
            self._may_reach(args[1])
        elif event in STARTS_SOMETHING:
            self._refuse("start a program")
        elif event == "open":
            self._may_open(args[0], args[1])

    def _may_reach(self, address: object) -> None:
        if not isinstance(address, tuple):
            self._refuse("reach a socket of this machine")
            return
        try:
            found = ip_address(str(address[0]).partition("%")[0])
        except ValueError:
            self._refuse("reach an address without a number")
            return
        plain = getattr(found, "ipv4_mapped", None) or found
        if not (is_public(str(found)) or self.allow == "inside" or (self.allow == "loopback" and plain.is_loopback)):
            self.inside = True
            raise Kept("inside")
        self.reached = True

    def _may_open(self, path: object, mode: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # an open descriptor
        real = os.path.realpath(os.fsdecode(path))
        if real in READABLE_FILES or any(real == place or real.startswith(f"{place}/") for place in self.readable):
            return
        if not (real.startswith(f"{self.scratch}/tocsin-alert-")):
            self._refuse("open a file")

    def _refuse(self, what: str) -> None:
        self.refused = True
        raise Kept(what)


class Overheard(logging.Handler):
    """What apprise says while it works: kept here, for reading an HTTP answer out of it, and shown to nobody."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.text = f"{self.text}\n{record.getMessage()}"[-20_000:]


def outcome(order: dict[str, str]) -> dict[str, str]:
    """What became of the message, in the words of `notifiers.contract.Outcome`, with a reason of ours."""
    asset = apprise.AppriseAsset(storage_mode="memory", app_id="Tocsin", app_desc="Tocsin", app_url="")
    asset.http_redirects, asset.async_mode = False, False
    heard = _overheard()
    guard = Guard(order["allow"])
    schema = order["url"].partition(":")[0].lower()
    secure = _is_secure(schema)
    if secure is None:
        return {"outcome": "refused", "reason": "target_unknown"}
    if not secure and order["allow"] not in ALLOWED_ALWAYS:
        return {"outcome": "refused", "reason": "target_not_encrypted"}
    sys.addaudithook(guard)
    try:
        target = apprise.Apprise.instantiate(order["url"], asset=asset, suppress_exceptions=True)
        if target is None:
            return {"outcome": "refused", "reason": "target_refused" if guard.refused else "target_unknown"}
        target.redirects = False
        if not target.verify_certificate and order["allow"] not in ALLOWED_ALWAYS:
            return {"outcome": "refused", "reason": "target_not_encrypted"}
        if order.get("check"):
            return {"outcome": "accepted", "reason": "", "kind": str(target.service_name)}
        sent = target.notify(body=order["text"], title=order["subject"], notify_type=apprise.NotifyType.WARNING)
    except Exception:  # whatever a target's code raises, the guard has seen whether anything was reached
        sent = False
    return _read(sent, guard, heard.text)


def _overheard() -> Overheard:
    heard = Overheard()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [heard], False
    logger.setLevel(logging.DEBUG)
    return heard


def _is_secure(schema: str) -> bool | None:
    """Whether this kind of target is spoken to under encryption; None for one that there is not."""
    found = NotificationManager()  # type: ignore[no-untyped-call]
    if schema not in found:
        return None
    words = found[schema].secure_protocol or ()
    return schema in ((words,) if isinstance(words, str) else tuple(words))


def _read(sent: bool, guard: Guard, heard: str) -> dict[str, str]:
    if sent:
        return {"outcome": "accepted", "reason": ""}
    if guard.inside and not guard.reached:
        return {"outcome": "refused", "reason": "address_inside"}
    if guard.refused and not guard.reached:
        return {"outcome": "refused", "reason": "target_refused"}
    if found := HTTP_ERROR.search(heard):
        code = found[1]
        later = code == "429" or code.startswith("5")
        return {"outcome": "later" if later else "refused", "reason": "target_says_no", "code": code}
    if not guard.reached or any(word in heard for word in NOT_REACHED):
        return {"outcome": "later", "reason": "not_reached"}
    return {"outcome": "unknown", "reason": "answer_lost"}


def main() -> None:
    """Read the order, answer with one line."""
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is not the answer
    order = json.load(sys.stdin)
    print(json.dumps(outcome(order)), file=said, flush=True)


if __name__ == "__main__":
    main()
