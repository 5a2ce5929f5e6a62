"""Names of spans, attributes and metrics, in one place because the conventions still move.

GenAI names follow OpenTelemetry's semantic conventions for generative AI, v1.42 (``gen_ai.*``); names of our own begin
with ``rag.``. What the conventions rename next is had by ``OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental``:
``conventions`` says by which names a process goes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

AttributeValue: TypeAlias = str | bool | int | float | Sequence[str]

OPT_IN_VARIABLE = "OTEL_SEMCONV_STABILITY_OPT_IN"
LATEST = "gen_ai_latest_experimental"

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_TOP_P = "gen_ai.request.top_p"
REQUEST_SEED = "gen_ai.request.seed"
REQUEST_STOP = "gen_ai.request.stop_sequences"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
EMBEDDING_DIMENSION = "gen_ai.embeddings.dimension.count"
TOP_K = "gen_ai.retrieval.top_k"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_CODE = "error.type"

# Content: only where tracing.content is on.
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
QUERY_TEXT = "gen_ai.retrieval.query.text"

# Metrics, and the attributes that only they have.
OPERATION_DURATION = "gen_ai.client.operation.duration"
CLIENT_TIME_TO_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
CLIENT_TIME_PER_CHUNK = "gen_ai.client.operation.time_per_output_chunk"
TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105 - tokens of text
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105
TOKENS = "gen_ai.client.inference.tokens"
TOKENS_BY_CACHE = "gen_ai.client.inference.input_tokens_by_cache"
TOKENS_BY_PHASE = "gen_ai.client.inference.output_tokens_by_phase"
TOKEN_MODALITY = "gen_ai.token.modality"  # noqa: S105
TOKEN_CACHE = "gen_ai.token.cache"  # noqa: S105
TOKEN_PHASE = "gen_ai.token.phase"  # noqa: S105

TEXTS = "rag.texts"
COMMIT = "rag.commit"
MODE = "rag.mode"
RESULTS = "rag.results"
FEEDBACK = "rag.feedback"
ABSTAINED = "rag.abstained"
ATTEMPT = "rag.attempt"
CHUNKS = "rag.response.chunks"
SECONDS_PER_CHUNK = "rag.response.time_per_chunk"
USAGE_SOURCE = "rag.usage.source"
REASONING_EFFORT = "rag.request.reasoning_effort"
TASK = "rag.optimizer.task"
STEPS = "rag.optimizer.steps"
FOLLOW_UPS = "rag.optimizer.follow_ups"
QUALITY = "rag.optimizer.quality"

# What the conventions call the providers that they know; others keep our name.
PROVIDERS: Mapping[str, str] = {
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
}


@dataclass(frozen=True, slots=True)
class Conventions:
    """What is named otherwise from one version of the conventions to the next.

    With ``token_counters``, tokens are counted by counters that add up, in place of one histogram.
    """

    cache_write_tokens: str
    token_counters: bool


_RELEASED = Conventions(cache_write_tokens="gen_ai.usage.cache_creation.input_tokens", token_counters=False)
_NEXT = Conventions(cache_write_tokens="gen_ai.usage.cache_write.input_tokens", token_counters=True)


@cache
def conventions() -> Conventions:
    """The names that this process was started with the wish for."""
    wished = os.environ.get(OPT_IN_VARIABLE, "")
    return _NEXT if LATEST in (wish.strip() for wish in wished.split(",")) else _RELEASED
