import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import IngestionError, ParserCrashError, SourceTooLargeError
from rag_engine.ingestion.frames import HEADER, decode_frame, encode_frame, pack_record, unpack_error, unpack_record
from rag_engine.types.document import Block, BlockKind, Document, Page, SourceFailure, Truncation


@pytest.mark.parametrize(
    "record",
    [
        Document(
            "id", "a text", "title", {"k": [1, None]}, (Block(BlockKind.HEADING, 0, 1, 2, "a"),), (Page(1, 0, 6),)
        ),
        Document("id", "", truncations=(Truncation("rows of Sales", 3, 7), Truncation("pages", 0, 1, "embedder"))),
        SourceFailure("file:1", "parsing", "what", "mend"),
    ],
)
def test_a_record_arrives_as_it_was_sent(record: Document | SourceFailure) -> None:
    frame = encode_frame(pack_record(record))
    assert HEADER.unpack(frame[: HEADER.size]) == (len(frame) - HEADER.size,)
    assert unpack_record(decode_frame(frame[HEADER.size :])) == record


DOCUMENT = pack_record(Document("id", "text"))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"kind": "document"},
        {"kind": "failure", "source": 1},
        DOCUMENT | {"text": 5},
        DOCUMENT | {"text": "\ud800"},
        DOCUMENT | {"metadata": [1]},
        DOCUMENT | {"blocks": [["paragraph", 0, 5, 0, ""]]},
        DOCUMENT | {"blocks": [["paragraph", 2, 3, 0, ""], ["paragraph", 0, 1, 0, ""]]},
        DOCUMENT | {"blocks": [["sculpture", 0, 1, 0, ""]]},
        DOCUMENT | {"pages": [[1, -1, 1]]},
        DOCUMENT | {"pages": 3},
        DOCUMENT | {"truncations": [["rows", 3, 2, "loader"]]},
        DOCUMENT | {"truncations": [["rows", -1, 2, "loader"]]},
        DOCUMENT | {"truncations": [["rows", 1, 1 << 63, "loader"]]},
        DOCUMENT | {"truncations": [[7, 1, 2, "loader"]]},
        DOCUMENT | {"truncations": [["rows", 1]]},
    ],
)
def test_what_is_no_record_is_a_crash_of_the_parser(message: dict[str, object]) -> None:
    with pytest.raises(ParserCrashError):
        unpack_record(message)


@given(st.binary())
def test_garbage_is_a_crash_of_the_parser(body: bytes) -> None:
    try:
        assert isinstance(json.loads(body), dict)
    except (ValueError, AssertionError):
        with pytest.raises(ParserCrashError):
            decode_frame(body)


def test_errors_come_back_as_the_class_of_their_code() -> None:
    error = unpack_error({"code": "source_too_large", "message": "m", "hint": "h"})
    assert (type(error), error.message, error.hint) == (SourceTooLargeError, "m", "h")
    assert isinstance(unpack_error({"code": "os.system", "message": "m"}), IngestionError)


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", "\ud800"), ("metadata", {"a": "\ud800"}), ("metadata", {"a": float("nan")}), ("pages", [[1e400, 0, 0]])],
)
def test_what_no_database_can_hold_is_a_crash_of_the_parser(field: str, value: object) -> None:
    message = pack_record(Document("a", "text"))
    with pytest.raises(ParserCrashError):
        unpack_record({**message, field: value})
