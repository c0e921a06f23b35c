"""The door for alerts of other systems: Standard Webhooks 1.0.0 the other way round, by a secret that both sides hold."""

import base64
import hmac
from datetime import datetime, timedelta
from typing import Final

from notifiers.contract import Callback, Forged
from notifiers.webhook import PREFIX, signature

NAMES: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE: Final = timedelta(minutes=5)
LONGEST_ID: Final = 200
FEWEST_BYTES: Final = 24


class AlertDoor:
    """Opens for calls that are signed with its secret and are not older, or newer, than five minutes."""

    def __init__(self, secret: str) -> None:
        """Raises ValueError for what is no secret of Standard Webhooks."""
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        if not secret.startswith(PREFIX) or len(key) < FEWEST_BYTES:
            raise ValueError("a secret is whsec_ and base64 of 24 to 64 bytes")
        self._secret = secret

    def opened(self, call: Callback, now: datetime) -> bytes:
        """The body of a good call. Raises Forged."""
        ref, stamp, signed = (call.headers.get(name, "") for name in NAMES)
        if not (0 < len(ref) <= LONGEST_ID and stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise Forged("the headers of Standard Webhooks are not all there")
        if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
            raise Forged("the call is older or newer than five minutes")
        due = signature(self._secret, ref, int(stamp), call.body)
        if not any(hmac.compare_digest(one.encode(), due.encode()) for one in signed.split(" ")):
            raise Forged("the signature is another one")
        return call.body
