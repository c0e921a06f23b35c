"""A single sign-on by OpenID Connect: the code flow with PKCE, state and nonce, and nothing believed that is not signed.

Roles, groups and names of the provider are not read: it says who somebody is, and nothing else. The host that the settings
name may be in one's own network; every other host that its description names has to be a public one. All is https.
Sources: OpenID Connect Core 1.0, Discovery 1.0; RFC 6749, 7636, 8414, 9207, 9700.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import quote, urlencode, urlsplit

import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from notifiers import outside, wire
from notifiers.assertions import Assertion, Errand, NotAsserted, Unavailable
from notifiers.contract import Misconfigured

DESCRIPTION: Final = "/.well-known/openid-configuration"
ALGORITHMS: Final = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}
"""By kind of key: so that no token chooses how its own signature is checked. `none` and keyed hashes are not among them."""
SMALLEST_RSA: Final = 2048  # bits
KEPT: Final = timedelta(hours=1)
AGAIN_AFTER: Final = timedelta(seconds=30)
"""How soon keys are asked for again when a token names one that is not known: so that forged tokens do not make us ask."""
LEEWAY: Final = 120  # seconds that the provider's clock may differ
OLDEST: Final = timedelta(minutes=10)
LONGEST: Final = {"sub": 255, "email": 254, "code": 4_000}
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
CLAIMS: Final = frozenset({"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "amr", "at_hash", "auth_time"})
AGENT: Final = "Tocsin sign-on"


@dataclass(frozen=True)
class Client:
    """Who we are to the provider."""

    id: str
    secret: str = field(repr=False)
    back: str


@dataclass(frozen=True)
class _Known:
    """What the provider said of itself, and its keys, at one moment."""

    described: Mapping[str, Any]
    keys: KeySet
    at: datetime


def read_secret(path: Path | None) -> str:
    """The client's secret out of its file. Raises Misconfigured."""
    try:
        secret = path.read_text(encoding="utf-8").strip() if path is not None else ""
    except (OSError, ValueError):
        raise Misconfigured("TOCSIN_SIGN_ON_SECRET_FILE: this file cannot be read.") from None
    if not secret:
        raise Misconfigured("TOCSIN_SIGN_ON_SECRET_FILE: name the file that holds the secret of the client.")
    return secret


class OpenId:
    """One provider. `loopback` lets a test speak to this machine without encryption."""

    def __init__(
        self,
        issuer: str,
        client: Client,
        *,
        name: str = "single sign-on",
        second_factor: tuple[str, ...] = (),
        loopback: bool = False,
        seconds: float = 10,
    ) -> None:
        self.issuer, self.name, self.second_factor = issuer, name, second_factor
        self._client, self._loopback, self._seconds = client, loopback, seconds
        self._host = urlsplit(issuer).hostname or ""
        self._near, self._far = wire.session(4), outside.session(4, hosts=4)
        self._known: _Known | None = None
        self._failed: tuple[datetime, str] | None = None
        if not client.id:
            raise Misconfigured(
                "TOCSIN_SIGN_ON_CLIENT_ID: name the client that the provider knows this installation by."
            )
        if not self._is_safe(issuer) or urlsplit(issuer).query:
            raise Misconfigured("TOCSIN_SIGN_ON_ISSUER: give the provider's whole address, beginning with https://.")

    def errand(self) -> Errand:
        """Fresh secrets for one sign-in, 256 bits each."""
        return Errand(*(secrets.token_urlsafe(32) for _ in range(3)))

    def address(self, errand: Errand, now: datetime) -> str:
        """Where the browser goes. Raises Unavailable."""
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.back,
            "scope": "openid email",
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": create_s256_code_challenge(errand.verifier),
            "code_challenge_method": "S256",
        }
        return _with(self._described(now)["authorization_endpoint"], asked)

    def asserted(self, code: str, errand: Errand, *, issuer: str | None, now: datetime) -> Assertion:
        """Whom the code stands for. Raises NotAsserted, Unavailable."""
        described = self._described(now)
        names_itself = described.get("authorization_response_iss_parameter_supported") is True
        if (issuer is not None or names_itself) and issuer != self.issuer:
            raise NotAsserted("other_issuer")
        if not 0 < len(code) <= LONGEST["code"]:
            raise NotAsserted("no_code")
        given = self._exchanged(code, errand)
        claims = self._believed(given, errand.nonce, now)
        return self._person(claims, given.get("access_token"))

    def way_out(self, now: datetime) -> str:
        """Where the browser ends its session at the provider; empty where there is no such place."""
        try:
            place = self._described(now).get("end_session_endpoint")
        except Unavailable:
            return ""
        return _with(place, {"client_id": self._client.id}) if isinstance(place, str) and self._is_safe(place) else ""

    def _exchanged(self, code: str, errand: Errand) -> Mapping[str, Any]:
        """What the provider gives for the code, once it knows who asks."""
        described = self._described_before()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._client.back}
        form["code_verifier"] = errand.verifier
        headers = {"Accept": "application/json", "User-Agent": AGENT}
        offered = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if "client_secret_basic" in offered:
            auth = (quote(self._client.id, safe=""), quote(self._client.secret, safe=""))
        else:
            form |= {"client_id": self._client.id, "client_secret": self._client.secret}
        request = requests.Request("POST", described["token_endpoint"], headers, data=form, auth=auth).prepare()
        status, answer = self._asked(request)
        if status != 200 or not isinstance(answer.get("id_token"), str):
            raise NotAsserted("code_refused")
        return answer

    def _believed(self, given: Mapping[str, Any], nonce: str, now: datetime) -> CodeIDToken:
        """What the token says, its signature, its addressee and its time checked. Raises NotAsserted."""
        token = self._signed(given["id_token"], now)
        expected = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client.id},
        }
        known = {"nonce": nonce, "client_id": self._client.id, "access_token": given.get("access_token")}
        claims = CodeIDToken(token.claims, token.header, expected, known)
        moment = int(now.timestamp())
        try:
            claims.validate(now=moment, leeway=LEEWAY)
        except (JoseError, TypeError, ValueError, KeyError) as error:
            _doubt(error)
        if not _is_recent(claims["iat"], now) or not isinstance(claims["sub"], str):
            raise NotAsserted("token_iat" if isinstance(claims["sub"], str) else "token_sub")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            raise NotAsserted("token_aud")  # meant for others too, who could bring it here
        return claims

    def _signed(self, text: str, now: datetime) -> jwt.Token:
        """The token, signed by a key of the provider in a way that goes with this kind of key. Raises NotAsserted."""
        header = _header(text)
        key = self._key(header.get("kid"), now)
        try:
            return jwt.decode(text, key, algorithms=list(ALGORITHMS[key.key_type]))
        except (JoseError, ValueError, TypeError, KeyError):
            raise NotAsserted("token_signature") from None

    def _key(self, kid: object, now: datetime) -> RSAKey | ECKey:
        """The one key that the token names, or the only one there is; asked for again where none is known. Raises NotAsserted."""
        for lasts in (KEPT, AGAIN_AFTER):
            known = self._fetched(now, lasts).keys.keys
            fit = [
                key for key in known if _is_fit(key) and (key.get("kid") == kid or (kid is None and len(known) == 1))
            ]
            if len(fit) == 1 and isinstance(fit[0], RSAKey | ECKey):
                return fit[0]
        raise NotAsserted("token_key")

    def _person(self, claims: CodeIDToken, access: object) -> Assertion:
        told: Mapping[str, Any] = claims
        if "email" not in claims and isinstance(access, str):
            told = self._told(access, claims["sub"])
        word = told.get("email_verified")  # some providers send the word instead of the value
        verified = (word is True or word == "true") and isinstance(told.get("email"), str)
        if not 0 < len(claims["sub"]) <= LONGEST["sub"]:
            raise NotAsserted("token_sub")
        proved = claims.get("auth_time")
        return Assertion(
            issuer=self.issuer,
            subject=claims["sub"],
            email=told["email"] if verified and len(told["email"]) <= LONGEST["email"] else "",
            methods=tuple(word for word in (claims.get("acr"), *(claims.get("amr") or ())) if isinstance(word, str)),
            proved_at=datetime.fromtimestamp(proved, UTC) if _is_time(proved) else None,
        )

    def _told(self, access: str, subject: str) -> Mapping[str, Any]:
        """What the provider tells beside the token, about the same person and nobody else."""
        place = self._described_before().get("userinfo_endpoint")
        if not isinstance(place, str) or not self._is_safe(place):
            return {}
        headers = {"Authorization": f"Bearer {access}", "Accept": "application/json", "User-Agent": AGENT}
        try:
            status, answer = self._asked(requests.Request("GET", place, headers).prepare())
        except (Unavailable, ValueError):
            return {}
        return answer if status == 200 and answer.get("sub") == subject else {}

    def _described(self, now: datetime) -> Mapping[str, Any]:
        return self._fetched(now, KEPT).described

    def _described_before(self) -> Mapping[str, Any]:
        return self._known.described if self._known is not None else {}

    def _fetched(self, now: datetime, lasts: timedelta) -> _Known:
        """Description and keys, asked for again once they are older than that."""
        known = self._known
        if known is not None and timedelta(0) <= now - known.at < lasts:
            return known
        if self._failed is not None and timedelta(0) <= now - self._failed[0] < AGAIN_AFTER:
            raise Unavailable(self._failed[1])  # nobody waits anew for what just now did not answer
        try:
            known = self._known = self._fetch(now)
        except Unavailable as trouble:
            self._failed = (now, trouble.reason)
            raise
        return known

    def _fetch(self, now: datetime) -> _Known:
        described = self._got(self.issuer.rstrip("/") + DESCRIPTION)
        if described.get("issuer") != self.issuer:
            raise Unavailable("other_issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(described.get(name), str) or not self._is_safe(described[name]):
                raise Unavailable(f"bad_{name}")
        if "S256" not in (described.get("code_challenge_methods_supported") or ["S256"]):
            raise Unavailable("no_pkce")
        try:
            keys = KeySet.import_key_set(self._got(described["jwks_uri"]))  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError):
            raise Unavailable("bad_keys") from None
        return _Known(described, keys, now)

    def _got(self, address: str) -> Mapping[str, Any]:
        headers = {"Accept": "application/json", "User-Agent": AGENT}
        status, answer = self._asked(requests.Request("GET", address, headers).prepare())
        if status != 200:
            raise Unavailable("said_no")
        return answer

    def _asked(self, request: requests.PreparedRequest) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of the answer. Raises Unavailable."""
        through = self._near if self._is_near(urlsplit(request.url or "").hostname or "") else self._far
        try:
            status, _, body = wire.exchange(through, request, self._seconds)
            answer = json.loads(body)
        except (wire.Unreached, wire.Unanswered, wire.Redirected) as trouble:
            raise Unavailable(type(trouble).__name__.lower()) from None
        except (ValueError, RecursionError):
            raise Unavailable("not_json") from None
        if not isinstance(answer, dict):
            raise Unavailable("not_json")
        return status, answer

    def _is_near(self, host: str) -> bool:
        """Whether this host is spoken to without looking where it is: the settings name it."""
        return host == self._host or (self._loopback and host in LOOPBACK)

    def _is_safe(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
            host, plain = parts.hostname or "", parts.username is None and not parts.fragment and parts.port != 0
        except ValueError:
            return False
        fit = address.isascii() and address.isprintable() and " " not in address and plain and bool(host)
        return fit and (parts.scheme == "https" or (self._loopback and parts.scheme == "http" and host in LOOPBACK))


def _with(address: str, asked: Mapping[str, str]) -> str:
    return address + ("&" if urlsplit(address).query else "?") + urlencode(asked)


def _header(text: str) -> Mapping[str, Any]:
    """What a token says of itself, for which nothing vouches yet. Raises NotAsserted."""
    try:
        return jws.extract_compact(text.encode()).headers()
    except (JoseError, ValueError, TypeError, KeyError):
        raise NotAsserted("token_unreadable") from None


def _is_fit(key: Key) -> bool:
    """Whether the key is a public one to check signatures with, of a kind and size that we take."""
    if key.get("use", "sig") != "sig" or key.is_private:
        return False
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= SMALLEST_RSA
    return isinstance(key, ECKey) and key.curve_name == "P-256"


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11


def _is_recent(issued: object, now: datetime) -> bool:
    """Whether a token was made for this sign-in and not long before."""
    if not isinstance(issued, int | float) or isinstance(issued, bool):
        return False
    return -LEEWAY <= now.timestamp() - issued <= OLDEST.total_seconds()


def _doubt(error: Exception) -> NoReturn:
    """Say in one word which claim is not as it has to be. Raises NotAsserted."""
    claim = getattr(error, "claim", None) or getattr(error, "claim_name", None)
    raise NotAsserted(f"token_{claim}" if claim in CLAIMS else "token_claims") from None
