"""Golden answers of the providers with a form of their own: Anthropic, Google, Cohere and Ollama."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.faults.wire_golden import KEY, LINES, REQUEST_ID, Golden, Refusal
from benchmarks.faults.wire_openai import INPUT_TOKENS, OUTPUT_TOKENS, TEXT, as_json, data_event, words_of
from rag_engine.errors import (
    BadResponseError,
    ConcurrencyLimitError,
    ContentPolicyError,
    ContextWindowError,
    InvalidKeyError,
    LanguageModelError,
    OutputFilteredError,
    PromptBlockedError,
    ProviderFailureError,
    QuotaError,
    RateLimitError,
    UnknownModelError,
)
from rag_engine.types.generation import FinishReason


def anthropic() -> Golden:
    """Anthropic's Messages."""

    def error(message: str, *, type: str = "invalid_request_error", **details: str) -> dict[str, Any]:  # noqa: A002
        body = {"type": type, "message": message} | ({"details": details} if details else {})
        return {"type": "error", "error": body, "request_id": REQUEST_ID}

    usage = {"input_tokens": INPUT_TOKENS, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    reply = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage | {"output_tokens": OUTPUT_TOKENS},
    }
    start = {**reply, "content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    values: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
            for word in words_of(TEXT)
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": OUTPUT_TOKENS},
        },
        {"type": "message_stop"},
    ]
    refusals = {
        "bad_key": Refusal(401, error(f"invalid x-api-key {KEY}", type="authentication_error"), (InvalidKeyError,)),
        "no_money": Refusal(402, error("Your credit balance is too low", type="billing_error"), (QuotaError,)),
        "spend_limit": Refusal(
            429,
            error("limit reached", type="rate_limit_error", error_code="enforced_spend_limit_reached"),
            (QuotaError,),
        ),
        "rate": Refusal(429, error("rate limit", type="rate_limit_error"), (RateLimitError,), {"retry-after": "0"}, 3),
        "too_long": Refusal(400, error("prompt is too long: 210000 tokens > 200000 maximum"), (ContextWindowError,)),
        "unknown_model": Refusal(404, error("model: claude-test", type="not_found_error"), (UnknownModelError,)),
        "overloaded": Refusal(529, error("Overloaded", type="overloaded_error"), (ProviderFailureError,), calls=3),
    }
    pieces = tuple(data_event(value, name=value["type"]) for value in values)
    return Golden(
        provider="anthropic",
        model="claude-test",
        reply=reply,
        pieces=pieces,
        whole_after=len(pieces),
        text_at=("content", 0, "text"),
        reason_at=("stop_reason",),
        usage_at=("usage",),
        answers_at=("content",),
        error=lambda message: error(message, type="api_error"),
        midway=data_event(error("Overloaded", type="overloaded_error"), name="error"),
        reasons={
            "max_tokens": FinishReason.LENGTH,
            "stop_sequence": FinishReason.STOP,
            "refusal": FinishReason.REFUSED,
            "model_context_window_exceeded": FinishReason.LENGTH,
        },
        refusals=refusals,
        id_header="request-id",
    )


def google() -> Golden:
    """Google's generateContent: every event is an answer of its own, and nothing but the reason to stop ends them."""

    def error(message: str, status: str, code: int, *details: Mapping[str, Any]) -> dict[str, Any]:
        return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}

    def part(text: str, **fields: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **fields}
        usage = {"promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": OUTPUT_TOKENS}
        total = usage | {"totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS}
        return {"candidates": [candidate], "usageMetadata": total, "modelVersion": "gemini-test", "responseId": "r1"}

    kind = "type.googleapis.com/google.rpc."
    day = {"@type": f"{kind}QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]}
    minute = {
        "@type": f"{kind}QuotaFailure",
        "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
    }
    wait = {"@type": f"{kind}RetryInfo", "retryDelay": "46s"}
    bad_key = {"@type": f"{kind}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    first, *middle = words_of(TEXT)
    pieces = tuple(
        data_event(value) for value in (part(first), *map(part, middle[:-1]), part(middle[-1], finishReason="STOP"))
    )
    exhausted = "RESOURCE_EXHAUSTED"
    refusals = {
        "bad_key": Refusal(
            400, error(f"API key not valid: {KEY}", "INVALID_ARGUMENT", 400, bad_key), (InvalidKeyError,)
        ),
        "per_day": Refusal(429, error("quota exceeded", exhausted, 429, day), (QuotaError,)),
        # The wait it asks for is longer than the call may take.
        "rate": Refusal(429, error("quota exceeded", exhausted, 429, minute, wait), (RateLimitError,)),
        "too_long": Refusal(
            400,
            error(
                "The input token count (9000) exceeds the maximum number of tokens allowed (8192).",
                "INVALID_ARGUMENT",
                400,
            ),
            (ContextWindowError,),
        ),
        "unknown_model": Refusal(404, error("models/gemini-test is not found", "NOT_FOUND", 404), (UnknownModelError,)),
        "unavailable": Refusal(
            503, error("The model is overloaded", "UNAVAILABLE", 503), (ProviderFailureError,), calls=3
        ),
        "blocked": Refusal(200, {"promptFeedback": {"blockReason": "SAFETY"}}, (PromptBlockedError,)),
    }
    return Golden(
        provider="google",
        model="gemini-test",
        reply=part(TEXT, finishReason="STOP"),
        pieces=pieces,
        whole_after=len(pieces),
        text_at=("candidates", 0, "content", "parts", 0, "text"),
        reason_at=("candidates", 0, "finishReason"),
        usage_at=("usageMetadata",),
        answers_at=("candidates",),
        error=lambda message: error(message, "INTERNAL", 500),
        midway=data_event(error("The model is overloaded", "UNAVAILABLE", 503)),
        reasons={
            "MAX_TOKENS": FinishReason.LENGTH,
            "SAFETY": (OutputFilteredError,),
            "RECITATION": (OutputFilteredError,),
            "MALFORMED_FUNCTION_CALL": (BadResponseError,),
        },
        refusals=refusals,
    )


def cohere() -> Golden:
    """Cohere's chat, version 2."""
    tokens = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    usage = {"billed_units": tokens, "tokens": tokens}
    message = {"role": "assistant", "content": [{"type": "text", "text": TEXT}]}
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    values: list[dict[str, Any]] = [
        {"id": "c1", "type": "message-start", "delta": {"message": empty}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        *(
            {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": word}}}}
            for word in words_of(TEXT)
        ),
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
    ]
    failed = {"finish_reason": "ERROR", "error": "internal error", "usage": usage}
    refusals = {
        "bad_key": Refusal(401, {"id": "e1", "message": f"invalid api token {KEY}"}, (InvalidKeyError,)),
        "no_money": Refusal(402, {"message": "your billing limit is reached"}, (QuotaError,)),
        "trial": Refusal(
            429, {"message": "You are using a Trial key, which is limited to 1000 API calls / month."}, (QuotaError,)
        ),
        "rate": Refusal(
            429, {"message": "too many requests, limit is 20 API calls / minute"}, (RateLimitError,), calls=3
        ),
        "too_long": Refusal(
            400,
            {"message": "too many tokens: total number of tokens in the prompt exceeds the limit of 8192"},
            (ContextWindowError,),
        ),
        "unknown_model": Refusal(404, {"message": "model 'command-test' not found"}, (UnknownModelError,)),
        "blocked": Refusal(498, {"message": "blocked input"}, (ContentPolicyError,)),
    }
    pieces = tuple(data_event(value, name=value["type"]) for value in values)
    return Golden(
        provider="cohere",
        model="command-test",
        reply={"id": "c1", "finish_reason": "COMPLETE", "message": message, "usage": usage},
        pieces=pieces,
        whole_after=len(pieces),
        text_at=("message", "content", 0, "text"),
        reason_at=("finish_reason",),
        usage_at=("usage",),
        answers_at=("message",),
        error=lambda text: {"id": "e1", "message": text},
        midway=data_event({"type": "message-end", "delta": failed}, name="message-end"),
        reasons={
            "MAX_TOKENS": FinishReason.LENGTH,
            "STOP_SEQUENCE": FinishReason.STOP,
            "ERROR": (LanguageModelError,),
            "TIMEOUT": (LanguageModelError,),
        },
        refusals=refusals,
    )


def ollama() -> Golden:
    """Ollama's own chat: lines of JSON, the last with done."""
    head = {"model": "llama-test", "created_at": "2026-01-01T00:00:00Z"}
    counts = {"total_duration": 9, "prompt_eval_count": INPUT_TOKENS, "eval_count": OUTPUT_TOKENS}

    def line(value: Mapping[str, Any]) -> bytes:
        return as_json(value) + b"\n"

    def part(text: str) -> dict[str, Any]:
        return {**head, "message": {"role": "assistant", "content": text}, "done": False}

    last = part("") | {"done": True, "done_reason": "stop"} | counts
    pieces = (*(line(part(word)) for word in words_of(TEXT)), line(last))
    refusals = {
        "bad_key": Refusal(401, {"error": f"unauthorized {KEY}"}, (InvalidKeyError,)),
        "rate": Refusal(429, {"error": "too many requests"}, (RateLimitError,), calls=3),
        "unknown_model": Refusal(404, {"error": "model 'llama-test' not found"}, (UnknownModelError,)),
        "too_long": Refusal(400, {"error": "the input length exceeds the context length"}, (ContextWindowError,)),
        "busy": Refusal(
            503,
            # Its queue of waiting calls is full: fewer at a time would get through.
            {"error": "server busy, please try again. maximum pending requests exceeded"},
            (ConcurrencyLimitError,),
            calls=3,
        ),
    }
    return Golden(
        provider="ollama",
        model="llama-test",
        reply=part(TEXT) | {"done": True, "done_reason": "stop"} | counts,
        pieces=pieces,
        whole_after=len(pieces),
        text_at=("message", "content"),
        reason_at=("done_reason",),
        usage_at=("prompt_eval_count",),
        answers_at=("message",),
        error=lambda message: {"error": message},
        midway=line({"error": "an error was encountered while running the model"}),
        reasons={
            "length": FinishReason.LENGTH,
            "load": (ProviderFailureError,),
            "unload": (ProviderFailureError,),
        },
        refusals=refusals,
        media_type=LINES,
    )
