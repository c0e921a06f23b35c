"""What may be a password, how it is kept and compared, and what secrets are made of."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from incident import start
from incident.actions.users import create
from incident.domain.errors import Invalid
from incident.settings import Settings
from incident.store import credentials, keys, sealed
from incident.store.db import db
from incident.store.keys import KeysError
from tests.builders import a_user

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = "correct horse battery staple"
LONGEST = (
    "Zk!q9 Lp@w7 vY3# mB5$ tR8% nC2& xH6* dJ4( gF1) sK0- eU+= oI[] aPq; "
    + "lowering the Ana-lytic Tide past nine grey Harbour walls at dusk today"[:61]
)

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(
    "common",
    [
        "password1234",
        "123456789012",
        "qwertyuiop123",
        "iloveyou1234",
        "letmeinplease",
        "administrator1",
        "football12345",
        "Password123!",
    ],
)
def test_what_guessers_try_first_is_refused_however_long(common):
    with pytest.raises(Invalid, match="words"):
        credentials.demand_strong(common)


@pytest.mark.parametrize("words", ["tocsintocsin", "Tocsin2026!!", "ana@example.org", "AnaExampleAna"])
def test_words_of_the_context_make_no_password(words):
    with pytest.raises(Invalid):
        credentials.demand_strong(words, known=("Ana Example", "ana@example.org"))


@pytest.mark.parametrize(
    "good",
    [
        "zq vy kd mw pl xh",
        "лошадь батарея скрепка верно",
        "正确的马电池订书钉密码是这样的",
        "!!;--§$%&/()=?`´#+",
        "w7" * 3 + "Zk!q9Lp@" * 8,
    ],
)
def test_letters_of_any_kind_make_a_password(good):
    credentials.demand_strong(good)
    assert credentials.is_password(credentials.password_hash(good), good)


def test_a_password_of_128_letters_is_taken_and_one_more_is_not():
    longest = LONGEST
    credentials.demand_strong(longest)
    with pytest.raises(Invalid):
        credentials.demand_strong(longest + "x")


def test_the_shortest_password_that_is_taken_has_as_many_letters_as_is_said():
    assert len("zq vy kd mw pl xh"[: credentials.SHORTEST]) == credentials.SHORTEST
    credentials.demand_strong("zq!vy7kdMw pl xh"[: credentials.SHORTEST])
    with pytest.raises(Invalid, match=f"{credentials.SHORTEST} to {credentials.LONGEST} letters"):
        credentials.demand_strong("zq!vy7kdMw pl xh"[: credentials.SHORTEST - 1])


def test_eight_letters_besides_one_s_own_are_enough():
    credentials.demand_strong("ana example zQ7!kd", known=("Ana Example",))
    with pytest.raises(Invalid, match="little more"):
        credentials.demand_strong("ana example Q7!kd", known=("Ana Example",))


def test_a_password_is_compared_to_its_last_letter_and_in_its_case():
    longest = LONGEST
    kept = credentials.password_hash(longest)
    assert credentials.is_password(kept, longest)
    for other in (longest + "x", longest[:-1], longest.swapcase(), f" {longest}"):
        assert not credentials.is_password(kept, other)


def test_a_password_is_kept_by_argon2id_with_a_salt_of_its_own():
    first, second = credentials.password_hash(LONG), credentials.password_hash(LONG)
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=")
    assert first != second
    assert len(base64.b64decode(first.split("$")[4] + "==")) == 16


def test_without_the_secret_outside_the_database_a_hash_fits_nothing(monkeypatch):
    kept = credentials.password_hash(LONG)
    monkeypatch.setattr(credentials, "_pepper", lambda: b"another" * 5)
    assert not credentials.is_password(kept, LONG)


def test_nobodys_password_is_never_right():
    assert not credentials.is_password(None, LONG)
    assert not credentials.is_password(None, "")


def test_a_secret_has_256_random_bits_and_is_kept_as_its_hash():
    secrets = {credentials.new_secret() for _ in range(1_000)}
    assert len(secrets) == 1_000
    assert {len(base64.urlsafe_b64decode(one + "=")) for one in secrets} == {32}
    assert len(bytes.fromhex(credentials.key_of(secrets.pop()))) == 32


def test_a_counting_key_depends_on_each_of_its_parts_and_names_none():
    counted = {
        credentials.counting_key(*parts)
        for parts in (("a", "b"), ("ab", ""), ("a", "b", ""), ("b", "a"), ("code", "U-1"))
    }
    assert len(counted) == 5
    assert not any("U-1" in key for key in counted)


def test_the_secret_of_a_generator_opens_for_its_account_alone():
    ana, ben = a_user().ref, a_user().ref
    kept = credentials.seal_secret(ana, b"twenty secret bytes!")
    assert credentials.opened_secret(ana, kept) == b"twenty secret bytes!"
    with pytest.raises(Exception, match="does not open"):
        credentials.opened_secret(ben, kept)


def test_an_installation_with_passwords_does_not_start_without_their_key(tmp_path):
    settings = Settings(instance=tmp_path / "instance", test_mode=True, base_url="http://localhost")
    key = settings.instance / "keys" / "sign-in.key"
    with start.prepare(settings).app_context():
        assert not key.exists()
        create("ana@example.org", "Ana", ["lead"], password=LONG, actor="system", now=NOON)
        db.session.remove()
    secret = key.read_bytes()
    key.unlink()
    with pytest.raises(KeysError, match=r"sign-in\.key is missing"):
        start.prepare(settings)
    assert not key.exists()
    key.write_bytes(secret)
    key.chmod(0o600)
    start.prepare(settings)


def test_a_key_that_goes_missing_while_passwords_depend_on_it_is_not_made_anew():
    create("ana@example.org", "Ana", ["lead"], password=LONG, actor="system", now=NOON)
    key = sealed.ring().folder / "sign-in.key"
    secret = key.read_bytes()
    key.unlink()
    try:
        with pytest.raises(KeysError, match=r"sign-in\.key is missing"):
            credentials.password_hash(LONG)
        assert not key.exists()
    finally:
        key.unlink(missing_ok=True)
        keys.write_secret(key, secret)


def test_tries_are_counted_and_passwords_kept_under_words_of_their_own():
    """The same words in another place make another hash, and those of earlier releases go on counting."""
    pepper = credentials._pepper()
    expected = hmac.new(
        pepper, b"\x00".join([b"throttle", b"account", b"ana@example.org", b"192.0.2.7"]), "sha256"
    ).hexdigest()
    assert credentials.counting_key("account", "ana@example.org", "192.0.2.7") == expected
    assert credentials.counting_key("network", "ana@example.org", "192.0.2.7") != expected
    assert credentials.key_of("secret") == hashlib.sha256(b"secret").hexdigest()
    assert credentials._place("U-0ANA0000") == "user_account.totp_secret:U-0ANA0000"
    peppered = hmac.new(pepper, b"password\x00five words", "sha256").digest()
    assert credentials._peppered("\ufb01ve words") == peppered, "a letter that is two in one counts as both"
