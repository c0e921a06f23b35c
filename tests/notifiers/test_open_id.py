"""The single sign-on by OpenID Connect: what of a provider's answer is believed, over a real socket, and what never is."""

import base64
import hashlib
import hmac
import json
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from notifiers.assertions import NotAsserted, Unavailable
from notifiers.contract import Misconfigured
from notifiers.open_id import Client, OpenId, read_secret
from tests.fakes.open_id import CLIENT, EC_KEY, OTHER_KEY, RSA_KEY, SECRET, FakeOpenId, Key, b64

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BACK = "https://incidents.example.org/sign-in/provider/back"


@pytest.fixture
def fake():
    with FakeOpenId(now=NOW.timestamp) as server:
        yield server


@pytest.fixture
def provider(fake):
    return OpenId(fake.url, Client(CLIENT, SECRET, BACK), loopback=True)


def asserted(provider, fake, *, now=NOW, **changed):
    """The whole way there and back; `changed` says what comes back otherwise."""
    errand = provider.errand()
    back = fake.code_for(provider.address(errand, now))
    came = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()} | changed
    return provider.asserted(came["code"], errand, issuer=came["iss"], now=now)


def refused(provider, fake, **changed):
    with pytest.raises(NotAsserted) as doubt:
        asserted(provider, fake, **changed)
    return doubt.value.reason


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["RS256", "ES256"])
def test_whoever_the_provider_signs_for_is_asserted(provider, fake, key):
    fake.keys, fake.signer = [OTHER_KEY, key], key
    fake.claims = {
        "auth_time": int(NOW.timestamp()) - 60,
        "amr": ["pwd", "otp"],
        "acr": "gold",
        "groups": ["administrator"],
    }
    said = asserted(provider, fake)
    assert (said.issuer, said.subject, said.email) == (fake.url, "248289761001", "ana@example.org")
    assert said.methods == ("gold", "pwd", "otp")
    assert said.proved_at == NOW - timedelta(minutes=1)


def test_the_browser_takes_along_a_challenge_and_secrets_of_256_bits_and_never_the_verifier(provider, fake):
    first, second = provider.errand(), provider.errand()
    assert len({first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}) == 6
    assert all(len(base64.urlsafe_b64decode(one + "=")) == 32 for one in (first.state, first.nonce, first.verifier))
    asked = parse_qs(urlsplit(provider.address(first, NOW)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["code_challenge"] == [b64(hashlib.sha256(first.verifier.encode()).digest())]
    assert asked["redirect_uri"] == [BACK]
    assert asked["scope"] == ["openid email"]
    assert first.verifier not in str(asked)
    assert SECRET not in str(asked)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "token_nonce"),
        ({"nonce": None}, "token_nonce"),
        ({"aud": "another-client"}, "token_aud"),
        ({"aud": [CLIENT, "another-client"], "azp": CLIENT}, "token_aud"),
        ({"azp": "another-client"}, "token_azp"),
        ({"iss": "https://other.example"}, "token_iss"),
        ({"iss": None}, "token_iss"),
        ({"sub": None}, "token_sub"),
        ({"sub": ""}, "token_sub"),
        ({"sub": 7}, "token_sub"),
        ({"exp": NOW.timestamp() - 121}, "token_exp"),
        ({"exp": None}, "token_exp"),
        ({"iat": NOW.timestamp() - 601}, "token_iat"),
        ({"iat": NOW.timestamp() + 121}, "token_iat"),
        ({"at_hash": b64(b"0" * 16)}, "token_at_hash"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_token_that_is_not_for_this_sign_in_is_not_believed(provider, fake, claims, reason):
    fake.claims = claims
    assert refused(provider, fake) in {reason, "token_claims"}


def hmac_by_public_key(text: str) -> bytes:
    """The old confusion: the public key, which everybody knows, as the secret of a keyed hash."""
    return hmac.digest(json.dumps(RSA_KEY.public()).encode(), text.encode(), "sha256")


@pytest.mark.parametrize(
    ("header", "forge", "reason"),
    [
        ({"alg": "none"}, lambda _: b"", "token_signature"),
        ({"alg": "None"}, lambda _: b"", "token_signature"),
        ({"alg": "HS256"}, hmac_by_public_key, "token_signature"),
        ({"alg": "RS512"}, None, "token_signature"),
        ({"alg": "ES256"}, None, "token_signature"),
        ({}, lambda text: OTHER_KEY.sign(text.encode()), "token_signature"),
        ({}, lambda text: RSA_KEY.sign(text.encode())[:-1] + b"\0", "token_signature"),
        ({"jwk": OTHER_KEY.public()}, lambda text: OTHER_KEY.sign(text.encode()), "token_signature"),
        ({"kid": "nobody's"}, None, "token_key"),
        ({"crit": ["exp"]}, None, "token_signature"),
    ],
    ids=[
        "none",
        "None",
        "public key as secret",
        "RS512",
        "other kind",
        "other key",
        "changed",
        "own key",
        "kid",
        "crit",
    ],
)
def test_a_token_that_no_known_key_signed_is_not_believed(provider, fake, header, forge, reason):
    fake.header, fake.forge = header, forge
    assert refused(provider, fake) in {reason, "token_unreadable"}


def test_a_code_is_taken_once(provider, fake):
    errand = provider.errand()
    code = parse_qs(urlsplit(fake.code_for(provider.address(errand, NOW))).query)["code"][0]
    provider.asserted(code, errand, issuer=fake.url, now=NOW)
    with pytest.raises(NotAsserted, match="code_refused"):
        provider.asserted(code, errand, issuer=fake.url, now=NOW)


def test_a_code_that_somebody_else_asked_for_is_refused_for_want_of_their_verifier(provider, fake):
    theirs = parse_qs(urlsplit(fake.code_for(provider.address(provider.errand(), NOW))).query)["code"][0]
    with pytest.raises(NotAsserted, match="code_refused"):
        provider.asserted(theirs, provider.errand(), issuer=fake.url, now=NOW)


@pytest.mark.parametrize("issuer", ["https://attacker.example", "", None])
def test_an_answer_of_another_provider_is_refused_before_its_code_is_handed_to_anybody(provider, fake, issuer):
    assert refused(provider, fake, iss=issuer) == "other_issuer"
    assert "/token" not in fake.asked_for


@pytest.mark.parametrize("told", [False, None, "yes", 1])
def test_an_address_that_the_provider_has_not_verified_is_no_address(provider, fake, told):
    fake.person = fake.person | {"email_verified": told}
    assert asserted(provider, fake).email == ""


def test_an_address_may_be_told_beside_the_token_about_the_same_person_alone(provider, fake):
    fake.told = fake.person
    assert asserted(provider, fake).email == "ana@example.org"
    fake.told = fake.person | {"sub": "somebody else"}
    assert asserted(provider, fake).email == ""


def test_a_changed_key_is_taken_up_and_the_old_one_believed_no_more(provider, fake):
    asserted(provider, fake)
    fake.keys, fake.signer = [OTHER_KEY], OTHER_KEY
    later = NOW + timedelta(minutes=1)
    fake.now = later.timestamp
    assert asserted(provider, fake, now=later).subject
    fake.signer = RSA_KEY
    assert refused(provider, fake, now=later) == "token_key"


def test_unknown_keys_do_not_make_us_ask_the_provider_each_time(provider, fake):
    asserted(provider, fake)
    fake.header = {"kid": "nobody's"}
    before = fake.asked_for.count("/keys")
    for _ in range(5):
        refused(provider, fake)
    assert fake.asked_for.count("/keys") == before


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://provider.example/token"},
        {"token_endpoint": "ftp://provider.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "https://name:word@provider.example/keys"},
        {"jwks_uri": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=str,
)
def test_a_description_that_leads_elsewhere_or_knows_no_proof_is_not_used(provider, fake, described):
    fake.described = described
    with pytest.raises(Unavailable):
        provider.address(provider.errand(), NOW)


def test_nothing_inside_the_own_network_is_spoken_to_but_the_host_that_the_settings_name(fake):
    with socket.create_server(("127.0.0.2", 0)) as inside:
        inside.setblocking(False)
        fake.described = {"jwks_uri": f"https://127.0.0.2:{inside.getsockname()[1]}/keys"}
        provider = OpenId(fake.url, Client(CLIENT, SECRET, BACK), loopback=True)
        with pytest.raises(Unavailable, match="unreached"):
            provider.address(provider.errand(), NOW)
        with pytest.raises(BlockingIOError):
            inside.accept()
        named = OpenId(f"https://127.0.0.2:{inside.getsockname()[1]}", Client(CLIENT, SECRET, BACK), seconds=0.2)
        with pytest.raises(Unavailable):
            named.address(named.errand(), NOW)
        inside.accept()[0].close()


def test_a_provider_that_is_down_is_not_waited_for_by_everybody(provider, fake):
    fake.down = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            provider.address(provider.errand(), NOW)
    assert len(fake.asked_for) == 1
    fake.down = False
    assert provider.address(provider.errand(), NOW + timedelta(minutes=1)).startswith(fake.url)


def test_the_secret_goes_in_the_form_where_the_provider_takes_it_there_alone(provider, fake):
    fake.methods = ["client_secret_post"]
    assert asserted(provider, fake).subject


def test_there_is_a_way_out_where_the_provider_has_one(provider, fake):
    assert provider.way_out(NOW) == f"{fake.url}/leave?client_id={CLIENT}"
    fake.described = {"end_session_endpoint": "http://elsewhere.example/leave"}
    assert provider.way_out(NOW + timedelta(hours=2)) == ""


@pytest.mark.parametrize(
    "issuer", ["http://provider.example", "provider.example", "https://a@provider.example", "https://"]
)
def test_an_issuer_is_a_whole_address_under_encryption(issuer):
    with pytest.raises(Misconfigured, match="TOCSIN_SIGN_ON_ISSUER"):
        OpenId(issuer, Client(CLIENT, SECRET, BACK))


def test_the_secret_stands_in_a_file_and_in_no_printed_line(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    assert read_secret(file) == SECRET
    assert SECRET not in repr(Client(CLIENT, SECRET, BACK))
    for wrong in (None, tmp_path / "not there"):
        with pytest.raises(Misconfigured, match="TOCSIN_SIGN_ON_SECRET_FILE"):
            read_secret(wrong)


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_short_key_is_no_key(provider, fake):
    short = Key.__new__(Key)
    short.kid, short.algorithm, short.private = "short", "RS256", rsa.generate_private_key(65537, 1024)
    fake.keys, fake.signer = [short], short
    assert refused(provider, fake) == "token_key"
