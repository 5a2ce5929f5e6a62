"""Packed bodies."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.transport.content import BrokenContentError, Content


@given(body=st.binary(max_size=400), size=st.integers(1, 50))
def test_a_packed_body_comes_out_whole_however_it_is_cut(body: bytes, size: int) -> None:
    packed, content = gzip.compress(body), Content()
    cuts = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(piece for cut in cuts for piece in content.unpack(cut)) == body
    assert content.complete


def test_every_cut_of_a_packed_body_is_seen_as_one() -> None:
    packed = gzip.compress(b"a whole answer" * 20)
    for end in range(1, len(packed)):
        content = Content()
        list(content.unpack(packed[:end]))
        assert not content.complete


def test_members_of_gzip_follow_one_another() -> None:
    content = Content()
    assert b"".join(content.unpack(gzip.compress(b"one") + gzip.compress(b"two"))) == b"onetwo"
    assert content.complete


def test_a_bomb_goes_off_a_mebibyte_at_a_time() -> None:
    content = Content()
    pieces = content.unpack(gzip.compress(bytes(64 << 20)))
    assert max(len(next(pieces)) for _ in range(8)) <= 1 << 20


@pytest.mark.parametrize(
    "packed", [b"no gzip at all", gzip.compress(b"whole") + b"garbage", gzip.compress(b"x")[:-8] + bytes(8)]
)
def test_what_is_not_packed_so_is_refused(packed: bytes) -> None:
    content = Content()
    with pytest.raises(BrokenContentError):
        list(content.unpack(packed))
