"""A key is taken out of a text in whatever way it is written there, and nothing else is."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.types.secret import SHOWN_AS, Secret

KEY = "sk-test/Aa+9=~zZ.%41_0123456789abcdef"
KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), min_size=1)


@given(KEYS, st.text(), st.text())
def test_the_key_stands_nowhere_in_what_is_left(key: str, before: str, after: str) -> None:
    shown = Secret(key).removed_from(before + key + after)
    assert SHOWN_AS in shown
    assert key not in shown.replace(SHOWN_AS, "\0")


@pytest.mark.parametrize("before", [b"", b":", b"no", b"Bearer ", b"user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_a_text_with_the_key_in_it_gives_nothing_of_the_key(
    encode: Callable[[bytes], bytes], before: bytes
) -> None:
    shown = Secret(KEY).removed_from(f"it was {encode(before + KEY.encode()).decode()}, and is refused")
    assert SHOWN_AS in shown
    assert shown.startswith("it was ")
    assert shown.endswith(", and is refused")
    # Three characters before it and three behind hold bits of the key beside others, or the padding.
    assert len(shown) < len("it was , and is refused") + len(SHOWN_AS) + len(encode(before)) + 6


def test_a_key_in_an_address_and_a_key_that_was_cut_are_keys() -> None:
    assert Secret(KEY).removed_from(f"/v1?key={quote(KEY, safe='')}&x=1") == f"/v1?key={SHOWN_AS}&x=1"
    assert Secret(KEY).removed_from(f"{KEY[:16]} {KEY[:30]}…") == f"{SHOWN_AS} {SHOWN_AS}…"
    assert Secret(KEY).removed_from(KEY[:15]) == KEY[:15]


def test_ways_to_write_a_key_that_begin_alike_are_told_apart() -> None:
    key = "sk-0123456789abcdef/ghij+klmn"
    for written in (key, quote(key, safe=""), base64.b64encode(key.encode()).decode()[:36]):
        assert Secret(key).removed_from(f"<{written}>") == f"<{SHOWN_AS}>"


@given(st.text())
def test_a_text_without_the_key_stays_as_it_is(text: str) -> None:
    assert Secret("0123456789abcdefghijklmnop").removed_from(text) == text
    assert Secret("").removed_from(text) == text


def test_a_text_of_many_keys_takes_time_that_grows_with_it() -> None:
    assert Secret(KEY).removed_from(KEY * 100_000) == SHOWN_AS * 100_000


def test_a_key_is_shown_and_written_by_nothing() -> None:
    secret = Secret(KEY)
    secret.removed_from("")  # what it is looked for as stands nowhere either
    assert KEY not in f"{secret} {secret!r}"
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)
