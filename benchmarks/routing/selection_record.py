"""The recorded outcomes: questions, nine models' scores at them, what each would have cost, and the folds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder

FILE_NAME = "llmrouter_9models_train.json"
CACHE = Path(__file__).parents[1] / "results" / "routing"
ANSWER_TOKENS = 256

# Billions of parameters, as the models' names say; codegemma and gemma say them too.
PARAMETERS: Mapping[str, float] = {
    "llama3-chatqa-1.5-8b": 8,
    "qwen2.5-7b-instruct": 7,
    "llama3-chatqa-1.5-70b": 70,
    "llama-3.1-nemotron-51b-instruct": 51,
    "mistral-7b-instruct-v0.3": 7,
    "gemma-2-9b-it": 9,
    "llama-3.1-8b-instruct": 8,
    "codegemma-7b": 7,
    "llama-3.3-nemotron-super-49b-v1": 49,
}


def tier_price(parameters: float) -> float:
    """US dollars for a million tokens, in or out, as hosts of open models sell them by size: an assumption."""
    return 0.2 if parameters <= 16 else 0.9


def linear_price(parameters: float) -> float:
    """The same where every parameter costs as much: an assumption to hold the other against."""
    return 0.015 * parameters


PRICES = {"tiers": tier_price, "linear": linear_price}


class Record(NamedTuple):
    """``scores`` has shape (questions, models); ``tokens`` are each question's, ``vectors`` unit rows."""

    questions: list[str]
    models: list[str]
    scores: Any
    tokens: Any
    vectors: Any

    def costs(self, schedule: str) -> Any:
        """US dollars that each answer would have cost, shape (questions, models)."""
        price = np.array([PRICES[schedule](PARAMETERS[model]) for model in self.models])
        return (self.tokens[:, None] + ANSWER_TOKENS) * price[None, :] / 1e6


def read_record(folder: Path) -> Record:
    """Reads the outcomes; the questions' vectors are kept for the next time. The clusters in the file, which were made
    from the scores, are not read.

    Raises:
        FileNotFoundError: the file is not there.
    """
    content = (folder / FILE_NAME).read_bytes()
    rows = json.loads(content)
    questions, models = [row["question"] for row in rows], list(rows[0]["scores"])
    scores = np.array([[row["scores"][model] for model in models] for row in rows])
    embedder = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
    kept = CACHE / f"vectors-{hashlib.sha256(content).hexdigest()[:12]}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        tokens = np.array(embedder.tokenizer.count(questions))
        np.savez(kept, vectors=embedder.embed_queries(questions), tokens=tokens)
    arrays = np.load(kept)
    return Record(questions, models, scores, arrays["tokens"], arrays["vectors"])


def held_back(record: Record) -> Any:
    """True for the four in ten questions that nothing was looked at on while the selector was being written."""
    return np.array([int(hashlib.sha256(text.encode()).hexdigest(), 16) % 10 >= 6 for text in record.questions])


def folds(rows: Any, count: int, seed: int) -> list[tuple[Any, Any]]:
    """Rows to fit on and rows to test on, ``count`` times; each row is tested once."""
    parts = np.array_split(np.random.default_rng(seed).permutation(rows), count)
    return [(np.concatenate(parts[:at] + parts[at + 1 :]), part) for at, part in enumerate(parts)]
