import os

import pytest
import tink
from hypothesis import given
from hypothesis import strategies as st
from tink import aead, prf, proto_keyset_format, secret_key_access
from tink.proto import tink_pb2

from incident.store import primitives
from incident.store.ciphers import Gcm, Hmac, Sealer, Unopened, Unreadable
from incident.store.keys import AEAD, PRF

SEALING = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
MARKING = tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA256)
OURS, TINKS = primitives.boxes(SEALING), SEALING.primitive(AEAD)


@given(st.binary(max_size=600), st.binary(max_size=100))
def test_what_tink_sealed_opens_here_and_what_was_sealed_here_opens_in_tink(plaintext, place):
    assert isinstance(OURS, Gcm)
    assert OURS.decrypt(TINKS.encrypt(plaintext, place), place) == plaintext
    assert TINKS.decrypt(OURS.encrypt(plaintext, place), place) == plaintext


@given(st.binary(max_size=600))
def test_a_mark_is_the_one_that_tink_makes(value):
    ours = primitives.marks(MARKING)
    assert isinstance(ours, Hmac)
    assert ours.compute(value, 16) == MARKING.primitive(PRF).primary().compute(value, 16)


def test_the_same_bytes_are_never_sealed_alike():
    assert len({OURS.encrypt(b"same", b"here") for _ in range(100)}) == 100


@pytest.mark.parametrize("position", [0, 4, 5, 16, 17, -1])
def test_a_changed_byte_does_not_open(position):
    sealed = bytearray(OURS.encrypt(b"a secret", b"here"))
    sealed[position] ^= 1
    with pytest.raises(Unopened):
        OURS.decrypt(bytes(sealed), b"here")


@pytest.mark.parametrize("length", range(33))
def test_what_is_cut_short_does_not_open(length):
    with pytest.raises(Unopened):
        OURS.decrypt(OURS.encrypt(b"a secret", b"here")[:length], b"here")


def test_another_place_does_not_open():
    with pytest.raises(Unopened):
        OURS.decrypt(OURS.encrypt(b"a secret", b"here"), b"there")


def test_a_keyset_of_another_shape_is_left_to_tink():
    siv = tink.new_keyset_handle(aead.aead_key_templates.XCHACHA20_POLY1305)
    sealed = primitives.boxes(siv).encrypt(b"a secret", b"here")
    assert siv.primitive(AEAD).decrypt(sealed, b"here") == b"a secret"
    longer = tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA512)
    assert primitives.marks(longer).compute(b"x", 16) == longer.primitive(PRF).primary().compute(b"x", 16)


def test_marks_by_the_thousand_are_those_of_single_ones_where_tink_has_the_key():
    longer = tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA512)
    here = Sealer(7, OURS, primitives.marks(longer))
    mark = here.marker("email")
    assert [mark(text) for text in ("a@example.org", "")] == [
        here.mark("email", "a@example.org"),
        here.mark("email", ""),
    ]


def test_a_keyset_with_a_second_key_is_left_to_tink():
    one, two = (
        tink_pb2.Keyset.FromString(
            proto_keyset_format.serialize(
                tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM), secret_key_access.TOKEN
            )
        )
        for _ in range(2)
    )
    one.key.append(two.key[0])
    both = proto_keyset_format.parse(one.SerializeToString(), secret_key_access.TOKEN)
    boxes = primitives.boxes(both)
    assert not isinstance(boxes, Gcm)
    place = os.urandom(8)
    assert both.primitive(AEAD).decrypt(boxes.encrypt(b"a secret", place), place) == b"a secret"


def test_keys_handed_over_seal_mark_and_open_alike_at_the_other_end():
    here = Sealer(7, OURS, primitives.marks(MARKING))
    there = Sealer.taken_over(here.handed_over())
    assert there.unseal("person.sealed:1:1", here.seal("person.sealed:1:1", b"a secret")) == b"a secret"
    assert there.unseal("person.sealed:1:1", here.closer("person.sealed:")("1:1", b"a secret")) == b"a secret"
    assert there.mark("email", "ann@example.org") == here.marker("email")("ann@example.org")
    with pytest.raises(Unreadable):
        Sealer(8, OURS, primitives.marks(MARKING)).unseal("x", there.seal("x", b"a secret"))


def test_of_thousands_sealed_in_a_row_no_two_have_the_same_nonce():
    here = Sealer(7, OURS, primitives.marks(MARKING))
    seal = here.closer("person.sealed:")
    boxes = [seal(f"{n}:1", b"same") for n in range(1_000)]
    assert len({box[5:17] for box in boxes}) == 1_000
    assert {here.unseal(f"person.sealed:{n}:1", box) for n, box in enumerate(boxes)} == {b"same"}


def test_keys_that_tink_holds_are_not_handed_over():
    siv = tink.new_keyset_handle(aead.aead_key_templates.XCHACHA20_POLY1305)
    assert Sealer(7, primitives.boxes(siv), primitives.marks(MARKING)).handed_over() is None
    with pytest.raises(Unreadable):
        Sealer(7, primitives.boxes(siv), primitives.marks(MARKING)).unseal("x", b"garbage")
