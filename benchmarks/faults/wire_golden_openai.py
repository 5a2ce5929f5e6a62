"""Golden answers of the providers of OpenAI's form: OpenAI, Azure, Mistral and Meta."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.faults import wire_openai as openai
from benchmarks.faults.wire_golden import KEY, Golden, Refusal
from benchmarks.faults.wire_openai import data_event
from rag_engine.errors import (
    ContentPolicyError,
    ContextWindowError,
    InvalidKeyError,
    OutputFilteredError,
    PromptBlockedError,
    ProviderFailureError,
    QuotaError,
    RateLimitError,
    UnknownModelError,
)
from rag_engine.types.generation import FinishReason


def _openai_refusals(quoted: Callable[..., dict[str, Any]]) -> dict[str, Refusal]:
    return {
        "bad_key": Refusal(
            401, quoted(f"Incorrect API key provided: {KEY}.", code="invalid_api_key"), (InvalidKeyError,)
        ),
        "no_money": Refusal(
            429, quoted("You exceeded your quota", type="insufficient_quota", code="insufficient_quota"), (QuotaError,)
        ),
        "no_credit": Refusal(
            429,
            quoted("Your credit is used up", type="insufficient_quota", code="credit_balance_exhausted"),
            (QuotaError,),
        ),
        "rate": Refusal(
            429, quoted("slow down", type="requests", code="rate_limit_exceeded"), (RateLimitError,), calls=3
        ),
        "too_long": Refusal(
            400, quoted("maximum context length is 8192 tokens", code="context_length_exceeded"), (ContextWindowError,)
        ),
        "unknown_model": Refusal(404, quoted("The model does not exist", code="model_not_found"), (UnknownModelError,)),
        "blocked": Refusal(
            400, quoted("rejected by our content policy", code="content_policy_violation"), (ContentPolicyError,)
        ),
    }


def _openai_like(provider: str, model: str, **fields: Any) -> Golden:
    values: dict[str, Any] = {
        "provider": provider,
        "model": model,
        "reply": openai.completion(),
        "pieces": tuple(openai.stream()),
        "whole_after": len(openai.stream()) - 2,
        "text_at": ("choices", 0, "message", "content"),
        "reason_at": ("choices", 0, "finish_reason"),
        "usage_at": ("usage",),
        "answers_at": ("choices",),
        "error": lambda message: openai.error(message, type="server_error"),
        "midway": data_event(openai.error("The server had an error", type="server_error")),
        "reasons": {"length": FinishReason.LENGTH, "content_filter": (OutputFilteredError,)},
        "refusals": _openai_refusals(openai.error),
    }
    return Golden(**(values | fields))


OPENAI = _openai_like("openai", "gpt-test")
META = _openai_like("meta", "muse-test")


def azure() -> Golden:
    """Azure OpenAI: filters' verdicts beside every choice, and an event with those of the prompt first."""
    verdicts = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    prompt = [{"prompt_index": 0, "content_filter_results": verdicts}]
    reply = openai.completion(prompt_filter_results=prompt)
    reply["choices"][0]["content_filter_results"] = verdicts
    blocked = openai.error("The response was filtered", code="content_filter")
    blocked["error"] |= {
        "param": "prompt",
        "type": None,
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": verdicts},
    }
    unknown = {
        "error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}
    }
    refusals = _openai_refusals(openai.error) | {
        "bad_key": Refusal(
            401, {"error": {"code": "401", "message": f"Access denied due to invalid key {KEY}."}}, (InvalidKeyError,)
        ),
        "unknown_model": Refusal(404, unknown, (UnknownModelError,)),
        "blocked": Refusal(400, blocked, (PromptBlockedError,)),
        "rate": Refusal(
            429, {"error": {"code": "429", "message": "Rate limit exceeded, retry later"}}, (RateLimitError,), calls=3
        ),
    }
    pieces = (data_event(first | {"prompt_filter_results": prompt}), *openai.stream())
    return _openai_like(
        "azure",
        "gpt-test",
        reply=reply,
        pieces=pieces,
        whole_after=len(pieces) - 2,
        refusals=refusals,
        id_header="apim-request-id",
    )


def mistral() -> Golden:
    """Mistral: the usage stands with the reason to stop, errors have a form of their own."""

    def error(message: str, *, type: str = "invalid_request", code: str | None = None) -> dict[str, Any]:  # noqa: A002
        return {"object": "error", "message": message, "type": type, "param": None, "code": code}

    refusals = {
        "bad_key": Refusal(401, {"detail": f"Unauthorized: {KEY}"}, (InvalidKeyError,)),
        "no_money": Refusal(402, error("Payment required", type="billing"), (QuotaError,)),
        "rate": Refusal(
            429, error("Requests rate limit exceeded", type="rate_limited", code="1300"), (RateLimitError,), calls=3
        ),
        "too_long": Refusal(
            400,
            error("Prompt contains 9000 tokens, too large for model with 8192 maximum context length"),
            (ContextWindowError,),
        ),
        "unknown_model": Refusal(
            400, error("Invalid model: mistral-test", type="invalid_model", code="1500"), (UnknownModelError,)
        ),
    }
    # The usage stands in the last chunk, that with the reason to stop.
    last = data_event(openai.chunk({"content": ""}, finish="stop") | {"usage": openai.USAGE})
    pieces = (*openai.begun(), last, openai.DONE)
    return _openai_like(
        "mistral",
        "mistral-test",
        pieces=pieces,
        whole_after=len(pieces) - 1,
        error=lambda message: error(message, type="internal_server_error"),
        midway=data_event(error("Service unavailable", type="internal_server_error", code="3700")),
        reasons={
            "length": FinishReason.LENGTH,
            "model_length": FinishReason.LENGTH,
            "error": (ProviderFailureError,),
        },
        refusals=refusals,
    )
