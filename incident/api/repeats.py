"""The header `Idempotency-Key`: a request that is sent again is answered again, and not done again.

Source of the name and of the answers: the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import re
from hashlib import sha256

from flask import Flask, Response, g, request

from incident.domain.errors import Invalid, Refused
from incident.store import repeats
from incident.web.access import me, now

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
MOST_READ = 2**20  # bytes: of a larger body only its size is compared
MOST_KEPT = 2**20  # bytes of an answer
WAYS = frozenset({"POST", "PATCH", "PUT", "DELETE"})
HEADERS = ("Content-Type", "Location", "ETag")


def init(app: Flask) -> None:
    """Puts the hooks around every call of the API; after those that say who calls."""
    app.before_request(_meet)
    app.after_request(_keep)


def _meet() -> Response | None:
    """Let the request through, or answer as it was answered before. Raises Invalid, Refused."""
    g.pop("repeat", None)
    given = request.headers.get(HEADER)
    if given is None or request.method not in WAYS or not request.path.startswith("/api/") or "person" not in g:
        return None  # without a person there is no such call, and the answer says so
    if not KEY.fullmatch(given):
        raise Invalid(HEADER, "The key must be 1 to 200 visible characters without spaces, such as a UUID.")
    key, asked = repeats.key_of(me().id, given), _asked()
    kept = repeats.begin(key, asked, now())
    if kept is None:
        g.repeat = key
        return None
    if kept.asked != asked:
        raise Invalid(HEADER, "This key was used for another request in the last 24 hours. Take a new one.")
    if kept.status is None:
        raise Refused(
            "A request with this key is being worked on, or its answer was lost. "
            "Look whether it was done before you send it with a new key."
        )
    answer = Response(kept.body, kept.status, kept.headers)
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _asked() -> str:
    """A digest of the request."""
    large = request.mimetype == "multipart/form-data" or (request.content_length or 0) > MOST_READ
    body = str(request.content_length).encode() if large else request.get_data()
    return sha256(f"{request.method} {request.full_path} {request.mimetype}\n".encode() + body).hexdigest()


def _keep(response: Response) -> Response:
    """Keep the answer of a request that was done; free the key of one that was refused or only read."""
    key = g.pop("repeat", None)
    if key is None:
        return response
    if _is_answer(response):
        told = {name: response.headers[name] for name in HEADERS if name in response.headers}
        repeats.keep(key, response.status_code, told, response.get_data())
    else:
        repeats.forget(key)
    return response


def _is_answer(response: Response) -> bool:
    """Whether something was done, and the answer is small enough to keep."""
    if response.status_code >= 400 or response.is_streamed or response.direct_passthrough:
        return False
    return (response.content_length or 0) <= MOST_KEPT
