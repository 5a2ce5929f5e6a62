"""What users get wrong when they open and ask a model."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.faults.socket_server import ReceivedRequest, SocketServer, Step, whole
from benchmarks.faults.wire_golden import Golden
from benchmarks.faults.wire_matrix import GOLDEN
from benchmarks.faults.wire_openai import TEXT, as_json, completion
from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import (
    ConfigurationError,
    ContextWindowError,
    InvalidKeyError,
    LanguageModelError,
    MalformedKeyError,
    MissingKeyError,
    NameResolutionError,
    UnknownModelError,
)
from rag_engine.llm import open_model
from rag_engine.llm.opening import OpenedModel
from rag_engine.llm.providers.provider_data import provider_data, provider_names
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Completion, CompletionDone, Prompt, TextDelta

KEY = "sk-wrong-0123456789abcdefghij"
LIMITS = WireLimits(deadline=5.0, connect=1.0, first_byte=2.0, idle=2.0)
PROVIDERS = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.provider)
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def asked(model: OpenedModel, prompt: Prompt, *, streamed: bool) -> Completion:
    if not streamed:
        return await model.complete(prompt)
    text, done = "", []
    async for event in model.stream(prompt):
        text += event.text if isinstance(event, TextDelta) else ""
        done += [event.completion] if isinstance(event, CompletionDone) else []
    (completed,) = done
    assert completed.text == text
    return completed


def opened(golden: Golden, url: str, *, attempts: int = 1) -> OpenedModel:
    return open_model(
        golden.name,
        base_url=url + urlsplit(provider_data(golden.provider).base_url).path,
        key=KEY,
        limits=LIMITS,
        policy=RetryPolicy(attempts=attempts, first_wait=0.01),
    )


def answer_of(
    golden: Golden, steps: Iterable[Step], *, streamed: bool = False, prompt: Prompt | None = None, attempts: int = 1
) -> tuple[Completion | LanguageModelError, list[ReceivedRequest]]:
    """What one call comes to where the server always does the same, and what the server received."""
    made = list(steps)

    async def main() -> Completion | LanguageModelError:
        async with opened(golden, server.url, attempts=attempts) as model:
            try:
                return await asked(model, prompt or Prompt.plain("Why?"), streamed=streamed)
            except LanguageModelError as error:
                return error

    with SocketServer(lambda request, number: made) as server:
        return asyncio.run(main()), server.requests


def test_a_missing_key_is_said_before_anything_is_sent_with_the_variable_to_set() -> None:
    keyed = [name for name in provider_names() if provider_data(name).needs_key]
    assert len(keyed) >= 7
    for name in keyed:
        with pytest.raises(MissingKeyError) as raised:
            open_model(f"{name}/some-model", base_url="http://127.0.0.1:9", environment={})
        assert raised.value.provider == name
        assert provider_data(name).key_variables[0] in raised.value.public_message


def test_a_server_of_ones_own_needs_no_key() -> None:
    for name in provider_names():
        if not provider_data(name).needs_key:
            assert open_model(f"{name}/some-model", environment={}).name == f"{name}/some-model"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\nX-Admin: yes", "\x00", " ", "\t", "…"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(end: str, tmp_path: Path) -> None:
    variable = provider_data("openai").key_variables[0]
    file = tmp_path / "key"
    file.write_text(KEY + end + KEY)
    file.chmod(stat.S_IRUSR)
    for given in (
        {"key": KEY + end},
        {"environment": {variable: KEY + end}},
        {"key_file": str(file), "environment": {}},
    ):
        with pytest.raises(MalformedKeyError) as raised:
            open_model("openai/gpt-4o", **given)  # type: ignore[arg-type]
        assert KEY not in repr(raised.value) + raised.value.public_message
        assert raised.value.provider == "openai"


def test_a_line_end_behind_the_key_in_a_file_is_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\r\n")
    file.chmod(stat.S_IRUSR)

    async def main() -> None:
        async with open_model(
            "openai/gpt-4o", base_url=server.url, key_file=str(file), environment={}, limits=LIMITS
        ) as model:
            await model.complete(Prompt.plain("Why?"))

    with SocketServer(lambda request, number: whole(200, as_json(completion()))) as server:
        asyncio.run(main())
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@STREAMED
@PROVIDERS
def test_a_wrong_key_is_one_call_and_is_not_repeated(golden: Golden, streamed: bool) -> None:
    refusal = golden.refusals["bad_key"]
    said = json.loads(json.dumps(refusal.body).replace("sk-test-matrix-0123456789abcdefghijkl", KEY))
    error, requests = answer_of(golden, whole(refusal.status, as_json(said)), streamed=streamed, attempts=3)
    assert isinstance(error, InvalidKeyError)
    assert len(requests) == len(error.attempts) == 1
    assert KEY in str(requests[0].headers)
    assert KEY not in repr(error) + error.public_message


@pytest.mark.parametrize("name", ["nobody/some-model", "some-model", "", "/", "openai", "openai/", "/gpt-4o", " / "])
def test_a_name_that_no_provider_has_is_a_setting_to_mend(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_model(name, key=KEY)
    assert "PROVIDER/" in raised.value.public_message


@STREAMED
@PROVIDERS
def test_a_model_that_the_provider_has_not_is_said_in_one_call(golden: Golden, streamed: bool) -> None:
    refusal = golden.refusals["unknown_model"]
    error, requests = answer_of(golden, whole(refusal.status, as_json(refusal.body)), streamed=streamed, attempts=3)
    assert isinstance(error, UnknownModelError)
    assert golden.model in str(error)
    assert len(requests) == 1


def test_a_model_that_nobody_described_is_asked_all_the_same() -> None:
    golden = GOLDEN[0]
    answer, _ = answer_of(golden, golden.answer(stream=False))
    assert isinstance(answer, Completion)
    assert answer.text == TEXT
    profile = opened(golden, "http://127.0.0.1:9").profile
    assert not profile.known
    assert answer.usage.cost is profile.price is None


@pytest.mark.parametrize(
    "url",
    [
        "localhost:11434",
        "api.openai.com/v1",
        "ftp://host/v1",
        "http://",
        "https:///v1",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://ho st/v1",
        "http://host/v1\n",
        "http://host/v1\nX: y",
        f"https://user:{KEY}@host/v1",
        f"https://host/v1?key={KEY}",
        f"https://host/v1#{KEY}",
    ],
)
def test_a_base_url_that_is_none_is_a_setting_to_mend(url: str) -> None:
    if url == "http://host/v1\n":  # as it comes from a file
        assert open_model("openai/gpt-4o", base_url=url, key=KEY).name == "openai/gpt-4o"
        return
    variable = provider_data("azure").base_url_variables[0]
    for name, given in (("openai/gpt-4o", {"base_url": url}), ("azure/gpt-4o", {"environment": {variable: url}})):
        with pytest.raises(ConfigurationError) as raised:
            open_model(name, key=KEY, **given)  # type: ignore[arg-type]
        assert KEY not in raised.value.public_message
        assert "llm." in raised.value.public_message


def test_a_provider_without_an_address_of_its_own_asks_for_one() -> None:
    with pytest.raises(ConfigurationError, match="no address of its own") as raised:
        open_model("azure/gpt-4o", key=KEY, environment={})
    assert provider_data("azure").base_url_variables[0] in raised.value.public_message


def test_a_public_host_without_encryption_is_warned_of_and_one_nearby_is_not(caplog: pytest.LogCaptureFixture) -> None:
    async def main(url: str) -> None:
        async with open_model(
            "openai/gpt-4o", base_url=url, key=KEY, limits=LIMITS, policy=RetryPolicy(attempts=1)
        ) as model:
            await model.complete(Prompt.plain("Why?"))

    with caplog.at_level(logging.WARNING):
        with SocketServer(lambda request, number: whole(200, as_json(completion()))) as server:
            asyncio.run(main(server.url))
        assert not caplog.messages
        with pytest.raises(NameResolutionError):  # a name that none can have: nothing is sent to anybody
            asyncio.run(main("http://wrong-use-of-models.invalid/v1"))
    (said,) = [message for message in caplog.messages if "without encryption" in message]
    assert "wrong-use-of-models.invalid" in said
    assert KEY not in caplog.text


@STREAMED
@PROVIDERS
def test_a_prompt_over_the_window_is_told_before_anything_is_sent(golden: Golden, streamed: bool) -> None:
    window = opened(golden, "http://127.0.0.1:9").profile.window
    prompt = Prompt.plain("height of the tower? " * window)
    error, requests = answer_of(golden, golden.answer(stream=streamed), streamed=streamed, prompt=prompt, attempts=3)
    assert isinstance(error, ContextWindowError)
    assert str(window) in str(error)
    assert requests == []
