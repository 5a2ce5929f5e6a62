"""LiteLLM's proxy with mock responses: OpenAI's interface and Anthropic's, as a gateway speaks them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.conformance.features import (
    ANSWER,
    ARGUMENTS,
    TOOL,
    Asked,
    Exchange,
    Feature,
    NotOffered,
    Surface,
    prompt_for,
)
from benchmarks.conformance.servers.process import ServerError, ServerProcess, free_port
from benchmarks.conformance.verdicts import Judge, answered, called, failed
from benchmarks.peers.environments import Environments, PeerEnvironmentError
from rag_engine.errors import (
    ContextWindowError,
    InvalidRequestError,
    RateLimitError,
)
from rag_engine.errors import ServerError as ProviderServerError

VERSION = "1.106.2"
REQUIREMENTS = Path(__file__).parent / "litellm.txt"
KEY = "sk-conformance-key"
# It imports for seconds.
START_SECONDS = 180.0
_CALL = {
    "id": "call_0123456789",
    "type": "function",
    "function": {"name": TOOL.name, "arguments": json.dumps(ARGUMENTS)},
}
# What its models answer, whatever they are asked: each stands for a feature.
MODELS: Mapping[str, Mapping[str, Any]] = {
    "says": {"mock_response": ANSWER},
    "calls": {"mock_response": "", "mock_tool_calls": [_CALL]},
    "too-fast": {"mock_response": "litellm.RateLimitError"},
    "too-long": {"mock_response": "litellm.ContextWindowExceededError"},
    "broken": {"mock_response": "litellm.InternalServerError"},
}
# Nothing listens there: what is not mocked must not be sent anywhere.
NOWHERE = "http://127.0.0.1:9"
# What its mocks say they read and wrote, whatever they did.
_COUNTS = (10, 20)
_ANTHROPIC_COUNTS = (2095, 503)
_NOT_READ = NotOffered("its mock does not read what it is asked")
_NO_FAULT = NotOffered("its mock has no such fault")
_NO_KEYS = NotOffered("without a database it answers 400, no_db_connection, to keys that it does not know")
_NO_STREAMED_TOOLS = NotOffered("its mock streams no tool calls")
_NO_TOOLS = NotOffered("its mock of this interface calls no tools")


def install(work: Path) -> None:
    """Makes its environment, where there is none.

    Raises:
        ServerError: pip failed.
    """
    _python(work)


@contextlib.contextmanager
def serving(work: Path) -> Iterator[Sequence[Surface]]:
    """The surfaces of a proxy that runs while this is entered.

    Raises:
        ServerError: it did not start.
    """
    folder = work / "litellm"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(json.dumps(_config(), ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    port = free_port()
    command = [
        str(_python(work).parent / "litellm"),
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    process = ServerProcess(
        [*command, "--telemetry", "False"],
        port=port,
        ready_path="/health/liveliness",
        log=folder / "server.log",
        start_seconds=START_SECONDS,
        environment={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"},
    )
    with process:
        yield [
            Surface("openai", "openai", "says", process.url + "/v1", _asked(), key=KEY),
            Surface("local", "local", "says", process.url + "/v1", _asked(), key=KEY),
            Surface("anthropic", "anthropic", "says", process.url, _asked_of_anthropic(), key=KEY),
        ]


def _python(work: Path) -> Path:
    try:
        return Environments(work / "environments").made("litellm", REQUIREMENTS)
    except PeerEnvironmentError as error:
        raise ServerError(str(error)) from error


def _config() -> dict[str, Any]:
    return {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {"model": f"openai/{name}", "api_base": NOWHERE, "api_key": "none", **answer},
            }
            for name, answer in MODELS.items()
        ],
        "litellm_settings": {"num_retries": 0, "request_timeout": 20},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }


def _asked() -> dict[Feature, Asked]:
    """Of OpenAI's interface."""
    return {
        Feature.PLAIN: _once(Feature.PLAIN, answered(ANSWER)),
        Feature.STREAM: _streamed(Feature.STREAM, answered(ANSWER, pieces=5)),
        Feature.SYSTEM: _NOT_READ,
        Feature.CONVERSATION: _NOT_READ,
        Feature.TOOLS: _once(Feature.TOOLS, called(TOOL.name, ARGUMENTS), model="calls"),
        Feature.TOOLS_STREAMED: _NO_STREAMED_TOOLS,
        Feature.TOOL_RESULT: _NOT_READ,
        Feature.JSON_SCHEMA: _NOT_READ,
        Feature.USAGE: _once(Feature.USAGE, answered(ANSWER, usage=_COUNTS)),
        # Of streams it counts the tokens itself.
        Feature.USAGE_STREAMED: _streamed(Feature.USAGE_STREAMED, answered(ANSWER, counted=True)),
        Feature.LENGTH: _NO_FAULT,
        Feature.WRONG_KEY: _NO_KEYS,
        Feature.RATE_LIMIT: _once(Feature.RATE_LIMIT, failed(RateLimitError, status=429), model="too-fast"),
        Feature.SERVER_ERROR: _once(Feature.SERVER_ERROR, failed(ProviderServerError, status=500), model="broken"),
        # It says so with 400 and in words of its own, not with OpenAI's code.
        Feature.UNKNOWN_MODEL: _once(
            Feature.UNKNOWN_MODEL, failed(InvalidRequestError, status=400), model="no-such-model"
        ),
        Feature.CONTEXT_WINDOW: _once(Feature.CONTEXT_WINDOW, failed(ContextWindowError, status=400), model="too-long"),
        Feature.RETRIED: _NO_FAULT,
        Feature.MALFORMED: _NO_FAULT,
        Feature.DISCONNECTED: _NO_FAULT,
        Feature.CUT_STREAM: _NO_FAULT,
    }


def _asked_of_anthropic() -> dict[Feature, Asked]:
    """Of Anthropic's interface, whose mock answers whole where a stream is asked for: a whole answer all the same."""
    return _asked() | {
        Feature.STREAM: _streamed(Feature.STREAM, answered(ANSWER)),
        Feature.TOOLS: _NO_TOOLS,
        Feature.TOOLS_STREAMED: _NO_TOOLS,
        Feature.USAGE: _once(Feature.USAGE, answered(ANSWER, usage=_ANTHROPIC_COUNTS)),
        Feature.USAGE_STREAMED: _streamed(Feature.USAGE_STREAMED, answered(ANSWER, usage=_ANTHROPIC_COUNTS)),
    }


def _once(feature: Feature, judge: Judge, *, model: str = "") -> Exchange:
    return Exchange(prompt_for(feature), judge, model=model)


def _streamed(feature: Feature, judge: Judge, *, model: str = "") -> Exchange:
    return Exchange(prompt_for(feature), judge, streamed=True, model=model)
