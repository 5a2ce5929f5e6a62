"""Addresses and keys, checked before anything is sent."""

from __future__ import annotations

import logging

import pytest

from rag_engine.errors import ConfigurationError, MalformedKeyError
from rag_engine.llm.transport import checked_base_url, checked_key
from rag_engine.llm.transport.address import Origin, read_url, warn_if_in_clear
from rag_engine.types.secret import Secret


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        (" http://localhost:11434 ", "http://localhost:11434"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_a_base_url_loses_only_the_slashes_at_its_end(text: str, expected: str) -> None:
    assert checked_base_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "api.example.com/v1", "localhost:8080", "ftp://example.com", "file:///etc/passwd", "https://", "https:///v1",
        "https://user:hidden@example.com", "https://hidden@example.com", "https://example.com:port", "http://[::1",
        "https://example.com:99999/", "https://exa mple.com", "https://example.com/v1?key=hidden",
        "https://example.com/#hidden", "https://example.com/a\nhidden", "sk-hidden", "https://example.com\\@hidden",
        "https://" + "ü" * 80 + ".example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url(text)
    assert "hidden" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("value", ["", "sk-1\n", "sk 1", "sk-\x00", "sk-\r\nx: y", "sk-€", "\tsk"])
def test_a_key_that_no_header_holds_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(MalformedKeyError) as caught:
        checked_key(Secret(value), provider="openai")
    assert "openai" in str(caught.value)
    assert not value.strip() or value.strip() not in str(caught.value)


def test_an_honest_key_passes() -> None:
    assert checked_key(Secret("sk-Ab_1.~é")).reveal() == "sk-Ab_1.~é"


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://API.example.com/v1/a?b=c", Origin("https", "api.example.com", 443), "/v1/a?b=c"),
        ("http://127.0.0.1:8080", Origin("http", "127.0.0.1", 8080), "/"),
        ("https://bücher.example/ü?q=é", Origin("https", "xn--bcher-kva.example", 443), "/%C3%BC?q=%C3%A9"),
        ("http://h/models/a%2Fb:generate", Origin("http", "h", 80), "/models/a%2Fb:generate"),
    ],
)
def test_a_url_is_read_into_origin_and_target(url: str, origin: Origin, target: str) -> None:
    assert read_url(url) == (origin, target)


def test_a_public_host_in_clear_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            warn_if_in_clear(Origin("http", "once.example.com", 80))
            warn_if_in_clear(Origin("https", "safe.example.com", 443))
            for host in ("localhost", "127.0.0.1", "10.1.2.3", "ollama", "box.local", "::1", "192.168.1.2"):
                warn_if_in_clear(Origin("http", host, 80))
    assert [record.getMessage() for record in caplog.records if "encryption" in record.getMessage()] == [
        "http://once.example.com is a public host: key and text are sent without encryption; use https://"
    ]
