"""What the adapters share on the wire: a session that goes nowhere but where it is sent, and two plain checks."""

import re
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError
from urllib3.exceptions import SSLError as HandshakeError

from notifiers import hurried

MOST_ANSWER_BYTES = 1_000_000
ADDRESS = re.compile(r"[^\s@,;<>\"\\\x00-\x1f\x7f]+@[^\s@,;<>\"\\\x00-\x1f\x7f]+")
LONGEST_ADDRESS = 320
NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")
PERSONAL = re.compile(r"[^\s<>@]+@[^\s<>@]+|\+?[0-9][0-9 ().-]{6,}[0-9]|https?://\S+")


class Unreached(Exception):
    """No connection came about: certainly nothing was sent."""


class Redirected(Exception):
    """The provider's address answers with a redirect; credentials do not follow it."""


class Unanswered(Exception):
    """The request went out and no whole answer came back: it may have been carried out."""


def session(connections: int) -> requests.Session:
    """A session with its own connections, which keeps no cookies and reads no proxies, .netrc or other environment."""
    fresh = requests.Session()
    fresh.trust_env = False
    fresh.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        fresh.mount(scheme, hurried.Adapter(pool_connections=1, pool_maxsize=connections, max_retries=0))
    return fresh


def exchange(
    through: requests.Session, request: requests.PreparedRequest, seconds: float
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of the answer, whole within `seconds`. Raises Unreached, Redirected, Unanswered."""
    try:
        with through.send(request, timeout=(min(seconds, 10), seconds), allow_redirects=False, stream=True) as answer:
            body = answer.raw.read(MOST_ANSWER_BYTES, decode_content=True) or b""
            status, headers = answer.status_code, answer.headers
    except requests.RequestException as error:
        raise (Unreached if _never_connected(error) else Unanswered)(type(error).__name__) from None
    except Exception as error:  # what urllib3 raises while the body is read
        raise Unanswered(type(error).__name__) from None
    if 300 <= status < 400:
        raise Redirected(str(status))
    return status, headers, body


def _never_connected(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, NewConnectionError | ConnectTimeoutError | HandshakeError)


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` (seconds or a date) or else `X-RateLimit-Reset` (Unix time) asks for; None when neither says."""
    asked = headers.get("Retry-After", "").strip()
    if asked.replace(".", "", 1).isdigit():
        return float(asked)
    if asked:
        try:
            return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
        except ValueError:
            return None
    reset = headers.get("X-RateLimit-Reset", "").strip()
    return max(0.0, float(reset) - time.time()) if reset.isdigit() else None


def is_address(text: str) -> bool:
    """Whether this is exactly one bare e-mail address, with nothing that could start a header or a second addressee."""
    return len(text) <= LONGEST_ADDRESS and ADDRESS.fullmatch(text) is not None


def are_addresses(texts: Sequence[str]) -> bool:
    """Whether each of these is one."""
    return all(map(ADDRESS.fullmatch, texts)) and max(map(len, texts), default=0) <= LONGEST_ADDRESS


def is_number(text: str) -> bool:
    """Whether this is one telephone number in the international form (E.164)."""
    return NUMBER.fullmatch(text) is not None


def plain(value: object, most: int) -> str:
    """A provider's word as one that can be kept: at most so many letters, none of them a control or half a pair."""
    text = str(value)[:most]
    return text if text.isprintable() else "".join(letter for letter in text if letter.isprintable())


def without_people(text: str) -> str:
    """A provider's words without addresses, telephone numbers and links, in one line of at most 200 letters."""
    if text.isalpha():
        return text[:200]  # one word: nearly all that a report holds
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return PERSONAL.sub("‹…›", text)[:200]
