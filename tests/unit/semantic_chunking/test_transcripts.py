from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking.transcripts import find_turns


def turns(text: str) -> list[tuple[str, str]]:
    return [(turn.speaker, text[turn.start : turn.end].strip()) for turn in find_turns(text)]


@pytest.mark.parametrize(
    ("lines", "speakers"),
    [
        (["Ana: hi", "Bo Li: hello", "Ana: so"], ["Ana:", "Bo Li:", "Ana:"]),
        (["THE PRESIDENT: one", "AUDIENCE: two", "THE PRESIDENT: three"], ["THE PRESIDENT:", "AUDIENCE:"] * 2),
        (["[00:01:02] Ana: hi", "[00:01:05] Bo: ho", "[00:02:00] Ana: yes"], ["Ana:", "Bo:", "Ana:"]),
        (
            ["SPEAKER 1 (00:12)\nHello", "SPEAKER 2 (00:20)\nYes", "SPEAKER 1 (00:30)\nBye"],
            ["SPEAKER 1:", "SPEAKER 2:"] * 2,
        ),
        (
            ["2024-05-01, 10:22 - Ana: hi", "2024-05-01, 10:23 - Bo: ho", "2024-05-02, 9:01 - Ana: no"],
            ["Ana:", "Bo:", "Ana:"],
        ),
        (
            ["[01.05.24, 10:22:33] Ana: a", "[01.05.24, 10:22:35] Ana: b", "[01.05.24, 10:22:36] Bo: c"],
            ["Ana:", "Ana:", "Bo:"],
        ),
        (["**Ana:** one", "**Bo:** two", "**Ana:** three"], ["Ana:", "Bo:", "Ana:"]),
        (["小明：你好", "小红：你好", "小明：再见"], ["小明:", "小红:", "小明:"]),
        (["Анна: привет", "Борис: привет", "Анна: пока"], ["Анна:", "Борис:", "Анна:"]),
        (["00:01 one", "00:09 two", "01:10 three"], ["", "", ""]),
    ],
)
@pytest.mark.parametrize("apart", ["\n", "\n\n", "\r\n"])
def test_lines_of_speakers_are_turns(lines: list[str], speakers: list[str], apart: str) -> None:
    text = apart.join(lines)
    assert turns(text) == list(zip(speakers[: len(lines)], lines, strict=True))


def test_cues_of_subtitles_are_turns_with_their_numbers_and_voices() -> None:
    cues = [
        "1\n00:00:01,000 --> 00:00:04,000\nAna: Hello",
        "2\n00:00:05,000 --> 00:00:06,000\n<v Bo Li>Hello you",
        "3\n00:00:07.000 --> 00:00:08.000 align:start\nno name",
    ]
    assert turns("WEBVTT\n\n" + "\n\n".join(cues)) == [("Ana:", cues[0]), ("Bo Li:", cues[1]), ("", cues[2])]


def test_message_objects_of_a_chat_log_are_turns() -> None:
    text = (
        "[{'content': 'a', 'role': 'user'}, {'content': 'b', 'role': 'assistant'}]\n\n"
        + '[{"role": "user", "content": "c"}]'
    )
    assert [text[turn.start :][:3] for turn in find_turns(text)] == ["[{'", "{'c", '[{"']


@pytest.mark.parametrize(
    "text",
    [
        "Ana: hi\nBo: hello",  # two are too few
        "He said: this.\nThen he said: that.\nAnd he said: no more.",  # one each
        "Note: a\nWarning: b\nNote: c\nTip: d",
        "Name: a\nColour: b\nShape: c\nName: d\nColour: e\nShape: f",  # fields of records come in one order
        "name: a\nname: b\nother: c",  # keys
        "Signature: ____\nName: ____\nSignature: ____\nName: ____",
        "Prose goes on, with a colon: like this.\nAnd another: like that.\nNothing else: but prose.",
        "Ana: only she speaks\nAna: and again\nAna: and again",
        "A ratio of 3:1 or\n10:1 parts\nis not a time",
    ],
)
def test_prose_with_colons_and_records_are_no_transcripts(text: str) -> None:
    assert find_turns(text) == []


def test_speakers_far_apart_do_not_make_a_transcript() -> None:
    prose = "\n\n".join(["Words that nobody speaks, one paragraph after the other."] * 8)
    assert find_turns(f"\n\n{prose}\n\n".join(["Ana: a", "Bo: b", "Ana: c", "Bo: d"])) == []


def test_an_edit_changes_no_turn_of_another_run() -> None:
    talk = "Ana: hi\nBo: hello\nAna: so"
    prose = "\n\n".join(["Words that nobody speaks, one paragraph after the other."] * 8)
    before = find_turns(f"{talk}\n\n{prose}\n\n{talk}")
    assert find_turns(f"{talk}\n\n{prose}\n\nBo: only he is left")[:3] == before[:3]


LINES = st.sampled_from(
    ["Ana: hi", "Bo: ho", "", "12:30 text", "{'role': 'user'", "1", "00:01 --> 00:02", "words", "\t", "Ana (00:12)"]
)


@given(st.lists(LINES, max_size=30).map("\n".join) | st.text(max_size=60))
def test_turns_are_ordered_and_do_not_overlap(text: str) -> None:
    position = 0
    for turn in find_turns(text):
        assert position <= turn.start < turn.end <= len(text)
        assert text[turn.start].strip()
        position = turn.end
