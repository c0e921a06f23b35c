"""Says to systemd, where it started us, that we are ready, alive, or about to stop. Elsewhere it says nothing."""

import os
import socket

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


def say(state: str) -> None:
    """Send one word over the socket that systemd named (sd_notify(3)); a socket that is gone stops nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        try:
            line.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError:
            return
