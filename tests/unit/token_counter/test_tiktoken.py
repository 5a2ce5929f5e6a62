"""tiktoken's encodings: the same tokens as tiktoken's own, and no network, whatever is missing."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag_engine.errors import ModelNotFoundError
from rag_engine.token_counter import TiktokenTokenizer
from rag_engine.token_counter.tiktoken_ranks import load_encoding
from rag_engine.token_counter.tokenizer_data import encodings

# First and last code points of scripts, signs and emoji.
SCRIPTS = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x531, 0x58A), (0x5D0, 0x5EA), (0x600, 0x6FF),
    (0x700, 0x74F), (0x900, 0x97F), (0x980, 0x9FF), (0xA00, 0xA7F), (0xB80, 0xBFF), (0xC00, 0xC7F), (0xE00, 0xE7F),
    (0xE80, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1200, 0x137F), (0x13A0, 0x13FF),
    (0x1780, 0x17FF), (0x1800, 0x18AF), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2190, 0x22FF), (0x2500, 0x27BF),
    (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFB50, 0xFDFF), (0xFF00, 0xFFEF),
    (0x10400, 0x1044F), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF), (0x00, 0x1F),
]  # fmt: skip
IN_A_PROCESS = """
import socket, sys
def refuse(*_, **__): raise AssertionError("the network was asked")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
"""


def many_scripts(characters: int) -> list[str]:
    """Texts of words in every script, some in several, with numbers, signs and white space of all sorts."""
    generator = random.Random(11)
    texts, made = [], 0
    while made < characters:
        words = []
        for _ in range(generator.randint(1, 120)):
            first, last = generator.choice(SCRIPTS)
            words.append("".join(chr(generator.randint(first, last)) for _ in range(generator.randint(1, 9))))
            words.append(
                generator.choice((" ", " ", "", "\n", "  ", "\t", "\r\n", "\u3000", "'s ", "1234", "!?", "\n\n "))
            )
        texts.append("".join(words))
        made += len(texts[-1])
    return texts


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", encodings())
def test_a_million_characters_of_many_scripts_have_the_tokens_that_tiktoken_gives_them(
    name: str, ranks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tiktoken

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(ranks))
    ours, theirs = TiktokenTokenizer(name), tiktoken.get_encoding(name)
    texts = many_scripts(1_000_000)
    texts += [
        "<|endoftext|> is text",
        "<|fim_prefix|>",
        "",
        "\ud800 half",
        "DON'T don't 'S",
        " " * 1000 + "x",
        "a" * 5000,
    ]
    assert sum(map(len, texts)) > 1_000_000
    expected = theirs.encode_ordinary_batch(texts)
    assert ours.count(texts) == [len(tokens) for tokens in expected]
    for text, tokens in zip(texts[::50], expected[::50], strict=True):
        assert list(ours.encode(text).ids) == tokens
        assert ours.count([text]) == [len(tokens)]


@pytest.mark.needs_shared
def test_offsets_lie_in_order_and_there_is_one_for_each_token(ranks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(ranks))
    tokenizer = TiktokenTokenizer("cl100k_base")
    for text in ("", "a b", "黑豹 hello"):
        offsets = tokenizer.encode(text).offsets
        assert len(offsets) == tokenizer.count([text])[0]
        assert sorted(offsets[:, 0]) == list(offsets[:, 0])


@pytest.mark.needs_shared
def test_threads_that_ask_at_once_load_an_encoding_once(ranks: Path) -> None:
    environment = {"TIKTOKEN_CACHE_DIR": str(ranks)}
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_encoding("o200k_base", environment=environment)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(encoding) for encoding in found}) == 1


def in_a_process(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if "CACHE_DIR" not in key}
    return subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS + program],
        capture_output=True,
        text=True,
        env=inherited | environment,
        timeout=120,
    )


COUNT = """
import logging; logging.basicConfig(format="%(message)s")
from rag_engine.token_counter import counter_for
counters = [counter_for("o200k_base") for _ in range(3)]
counter = counters[0]
print(counter.exact, counter.name, counter.count("hello world"), counter.upper_bound("hello world"))
"""


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR", "TMPDIR"])
def test_without_ranks_it_says_so_once_asks_no_network_and_estimates(variable: str, tmp_path: Path) -> None:
    result = in_a_process(COUNT, **{variable: str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("False estimate of o200k_base ")
    assert result.stderr.count("its tokens are estimated") == 1
    assert "TIKTOKEN_CACHE_DIR" in result.stderr


def test_a_cache_that_is_switched_off_is_no_folder(tmp_path: Path) -> None:
    result = in_a_process(COUNT, TIKTOKEN_CACHE_DIR="")
    assert result.stdout.startswith("False ")
    assert "switched off" in result.stderr


def test_ranks_that_are_not_what_was_published_are_neither_used_nor_deleted(tmp_path: Path) -> None:
    data = encodings()["o200k_base"]
    file = tmp_path / hashlib.sha1(data.address.encode()).hexdigest()
    file.write_bytes(b"IQ== 0\n")
    result = in_a_process(COUNT, TIKTOKEN_CACHE_DIR=str(tmp_path))
    assert result.stdout.startswith("False ")
    assert "not what was published" in result.stderr
    assert file.read_bytes() == b"IQ== 0\n"


@pytest.mark.needs_shared
def test_with_ranks_it_counts_exactly_and_says_nothing(ranks: Path) -> None:
    result = in_a_process(COUNT, TIKTOKEN_CACHE_DIR=str(ranks))
    assert result.stdout == "True o200k_base 2 2\n"
    assert result.stderr == ""


def test_an_encoding_that_cannot_be_had_is_named() -> None:
    with pytest.raises(ModelNotFoundError, match="no_such_base"):
        TiktokenTokenizer("no_such_base")
