"""Token counts, each from what really counts: a model's own tokenizer, tiktoken, or an estimate that says so."""

from rag_engine.token_counter.counters import TokenCounter, check_tokenizer, counter_for, counts_exactly
from rag_engine.token_counter.estimate import EstimatedTokenizer
from rag_engine.token_counter.model_tokenizer import ModelTokenizer
from rag_engine.token_counter.prompt_count import Count, prompt_tokens, reserved_for_answer, surely_fits
from rag_engine.token_counter.tiktoken_tokenizer import TiktokenTokenizer

__all__ = [
    "Count",
    "EstimatedTokenizer",
    "ModelTokenizer",
    "TiktokenTokenizer",
    "TokenCounter",
    "check_tokenizer",
    "counter_for",
    "counts_exactly",
    "prompt_tokens",
    "reserved_for_answer",
    "surely_fits",
]
