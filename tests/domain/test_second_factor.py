"""Codes by the clock (RFC 6238) and recovery codes."""

from datetime import UTC, datetime

import pytest

from incident.domain import second_factor

SECRET = b"12345678901234567890"
# RFC 6238, appendix B, SHA-1 column: the last six of its eight digits
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("second", "code"), VECTORS)
def test_codes_are_those_of_the_standard(second: int, code: str):
    now = datetime.fromtimestamp(second, UTC)
    assert second_factor.code_at(SECRET, second_factor.counter_at(now)) == code
    assert second_factor.step_of(code, SECRET, now=now, after=0) == second // 30


@pytest.mark.parametrize(("seconds_off", "taken"), [(-31, True), (31, True), (-61, False), (61, False)])
def test_clocks_may_differ_by_one_step(seconds_off: int, taken: bool):
    code = second_factor.code_at(SECRET, 1_000_000)
    now = datetime.fromtimestamp(1_000_000 * 30 + 1 + seconds_off - (1 if seconds_off > 0 else 0), UTC)
    assert (second_factor.step_of(code, SECRET, now=now, after=0) is not None) is taken


def test_a_spent_code_and_all_before_it_are_not_taken():
    now = datetime.fromtimestamp(1_000_000 * 30, UTC)
    for step in (999_999, 1_000_000):
        assert second_factor.step_of(second_factor.code_at(SECRET, step), SECRET, now=now, after=1_000_000) is None


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "-00001", "0" * 400])
def test_what_is_no_code_is_not_taken(typed: str):
    assert second_factor.step_of(typed, SECRET, now=datetime.fromtimestamp(59, UTC), after=0) is None


def test_a_code_may_be_typed_with_a_blank():
    assert second_factor.step_of(" 287 082", SECRET, now=datetime.fromtimestamp(59, UTC), after=0) == 1


def test_the_address_in_the_qr_code_escapes_the_account():
    assert second_factor.address("ABC", "a&b?secret=x@example.org").startswith(
        "otpauth://totp/Tocsin%3Aa%26b%3Fsecret%3Dx%40example.org?secret=ABC&"
    )


def test_the_address_in_the_qr_code_says_all_that_a_code_generator_asks_for():
    assert second_factor.address("ABC", "a@example.org") == (
        "otpauth://totp/Tocsin%3Aa%40example.org?secret=ABC&issuer=Tocsin&digits=6&period=30"
    )


def test_secrets_have_160_bits_differ_and_may_be_typed_small():
    found = {second_factor.new_secret() for _ in range(20)}
    assert len(found) == 20
    for secret in found:
        assert len(second_factor.as_bytes(secret)) == 20
        assert second_factor.as_bytes(secret.lower()) == second_factor.as_bytes(secret)
    with pytest.raises(ValueError, match="padding"):
        second_factor.as_bytes("not base 32!")


def test_recovery_codes_of_earlier_installations_are_found_under_the_hash_they_were_kept_under():
    kept = "af8c59f6c75fd10564274a5a22e8510d674fc2ade85a5a1b8451e95da220d7b1"  # SHA-256 of "recovery code 000…"
    assert second_factor.recovery_hash("0000-oooo-0000-OOOO-0000-0000") == kept


def test_recovery_codes_differ_and_are_kept_as_hashes():
    codes = {second_factor.new_recovery_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(len(second_factor.recovery_hash(code) or "") == 64 for code in codes)


def test_letters_that_look_alike_are_one():
    assert second_factor.recovery_hash("OIL0-1111-0000-ABCD") == second_factor.recovery_hash("0110 1111 oooo abcd")


@pytest.mark.parametrize("typed", ["", "123456", "0000-0000-0000-000", "Ⅷ" * 16])
def test_what_cannot_be_a_recovery_code_has_no_hash(typed: str):
    assert second_factor.recovery_hash(typed) is None


def test_a_recovery_code_has_more_than_112_random_bits():
    letters = second_factor.new_recovery_code().replace("-", "")
    assert set(letters) <= set(second_factor.ALPHABET)
    assert len(letters) * 5 > 112


def test_a_shorter_code_that_was_given_out_earlier_stays_good():
    assert second_factor.recovery_hash("7K3M-XW2Q-9TRB-0HZE") == second_factor.recovery_hash("7k3mxw2q9trb0hze")
    assert second_factor.recovery_hash("7K3M-XW2Q-9TRB-0HZE-5") is None


@pytest.mark.parametrize(
    "code",
    [
        "7K3M-XW2Q-9TRB-0HZE-5PDN-8VCA",
        " 7k3m xw2q 9trb ohze 5pdn 8vca ",
        "7K3MXW2Q9TRB0HZE5PDN8VCA",
        "7K3M.XW2Q.9TRB.OHZE.5PDN.8VCA",
    ],
)
def test_a_code_is_as_it_was_given_out_however_it_was_typed(code: str):
    assert second_factor.typed(code) == "7K3M-XW2Q-9TRB-0HZE-5PDN-8VCA"


@pytest.mark.parametrize(
    "code", ["", "7K3M", "7K3M-XW2Q-9TRB-0HZE-5PDN-8VC", "7K3M-XW2Q-9TRB-0HZE-5PDN-8VCAA", "ü" * 24]
)
def test_what_is_no_code_stays_as_it_was_typed(code: str):
    assert second_factor.typed(code) == code
