"""Speaks with the time stamp authority of this installation (RFC 3161 over HTTP): a request out, its answer back, both as bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import requests
from cryptography.x509 import Certificate, load_pem_x509_certificates

from incident.settings import Settings, SettingsError
from notifiers import wire

ASKS: Final = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
Ask = Callable[[bytes], tuple[bytes, str]]
"""The answer to a request; where there is none, why not, in a word or two."""


@dataclass(frozen=True)
class Authority:
    """Who stamps checkpoints, how to ask, and the certificates by which the answers are verified, if any."""

    name: str
    ask: Ask
    roots: tuple[Certificate, ...]


def authority(settings: Settings) -> Authority | None:
    """The authority of this installation; None where none is set. Raises SettingsError."""
    if not settings.timestamp_url:
        return None
    url = settings.provider_url("timestamp_url")
    return Authority(urlsplit(url).hostname or "", _asking(url, settings.timestamp_time_limit), _roots(settings))


def _roots(settings: Settings) -> tuple[Certificate, ...]:
    path = settings.timestamp_certificates
    if path is None:
        return ()
    try:
        return tuple(dict.fromkeys(load_pem_x509_certificates(path.read_bytes())))
    except OSError as error:
        raise SettingsError(f"TOCSIN_TIMESTAMP_CERTIFICATES: {path} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise SettingsError(f"TOCSIN_TIMESTAMP_CERTIFICATES: {path} holds no certificates (PEM).") from None


def _asking(url: str, seconds: float) -> Ask:
    def ask(request: bytes) -> tuple[bytes, str]:
        through = wire.session(1)
        try:
            sent = requests.Request("POST", url, data=request, headers=ASKS).prepare()
            status, headers, body = wire.exchange(through, sent, seconds)
        except wire.Redirected:
            return b"", "redirected"
        except (wire.Unreached, wire.Unanswered) as error:
            return b"", "unreached" if isinstance(error, wire.Unreached) else "unanswered"
        finally:
            through.close()
        if status != 200:
            return b"", f"status {status}"
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return (body, "") if kind == ASKS["Accept"] else (b"", "not a time stamp")

    return ask
