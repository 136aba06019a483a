"""Values at rest: what a thief of the database reads, and what rotation leaves readable."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.encryption import CannotDecrypt, Cipher, DataKey

OLD, NEW = DataKey("k1", b"1" * 32), DataKey("k2", b"2" * 32)


@given(st.binary(max_size=200), st.text(max_size=30))
def test_what_was_encrypted_comes_back_only_where_it_belongs(plain: bytes, place: str) -> None:
    cipher = Cipher([OLD])

    sealed = cipher.encrypt(plain, place=place)

    assert cipher.decrypt(sealed, place=place) == plain
    with pytest.raises(CannotDecrypt):
        cipher.decrypt(sealed, place=place + "x")


def test_the_same_value_never_looks_the_same_twice() -> None:
    cipher = Cipher([OLD])

    assert cipher.encrypt(b"Rosa") != cipher.encrypt(b"Rosa")


@given(st.binary(max_size=60), st.data())
def test_one_changed_bit_is_refused(plain: bytes, data: st.DataObject) -> None:
    cipher = Cipher([OLD])
    form, key_id, body = cipher.encrypt(plain).split(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    at = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[at // 8] ^= 1 << at % 8

    with pytest.raises(CannotDecrypt):
        cipher.decrypt(f"{form}.{key_id}.{base64.urlsafe_b64encode(raw).decode()}")


def test_a_new_key_encrypts_and_old_values_stay_readable() -> None:
    before = Cipher([OLD]).encrypt(b"Rosa")
    rotating = Cipher([OLD, NEW])

    after = rotating.encrypt(b"Rosa")

    assert rotating.decrypt(before) == rotating.decrypt(after) == b"Rosa"
    assert (rotating.is_newest(before), rotating.is_newest(after)) == (False, True)
    with pytest.raises(CannotDecrypt):
        Cipher([NEW]).decrypt(before)


@pytest.mark.parametrize("value", ["", "v1", "v1.k1.", "v1.k1.AAAA", "v2.k1.AAAA", "v1.k1.é"])
def test_what_we_never_wrote_is_refused(value: str) -> None:
    with pytest.raises(CannotDecrypt):
        Cipher([OLD]).decrypt(value)


def test_a_value_is_found_by_its_hash_under_any_key() -> None:
    before = Cipher([OLD]).blind_index("+15125550147")
    rotating = Cipher([OLD, NEW])

    assert before in rotating.blind_indexes("+15125550147")
    assert rotating.blind_index("+15125550147") in rotating.blind_indexes("+15125550147")
    assert before not in rotating.blind_indexes("+15125550148")
    assert Cipher([NEW]).blind_index("+15125550147") != before


@pytest.mark.parametrize(("key_id", "secret"), [("", b"1" * 32), ("a.b", b"1" * 32), ("k", b"1")])
def test_a_key_that_is_none_is_refused(key_id: str, secret: bytes) -> None:
    with pytest.raises(ValueError, match="data key"):
        DataKey(key_id, secret)
