"""Texts to token ids, as sentence-transformers makes them: prompt in front, cut at the window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag_engine.embedding.prompts import document_prompt, question_prompt
from rag_engine.errors import ModelDamagedError

_PORTION = 128  # texts


class TextEncoder:
    """The tokenizer of one model."""

    def __init__(self, file: Path, *, max_tokens: int, padding: int, prompts: dict[str, str]) -> None:
        """``file`` is its tokenizer.json, ``max_tokens`` its window, ``padding`` the id that fills up."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises bare Exception
            raise ModelDamagedError(f"the tokenizer {file} cannot be read: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self.max_tokens = max_tokens
        self.padding = padding
        self._document_prompt = document_prompt(prompts)
        self._question_prompt = question_prompt(prompts)

    @classmethod
    def of_folder(cls, folder: Path, *, max_tokens: int) -> TextEncoder:
        """The encoder of the model in a folder."""

        def read(name: str) -> Any:
            path = folder / name
            return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

        prompts = read("config_sentence_transformers.json").get("prompts") or {}
        padding = read("config.json").get("pad_token_id") or 0
        return cls(folder / "tokenizer.json", max_tokens=max_tokens, padding=padding, prompts=prompts)

    def documents(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of documents' texts, special tokens included."""
        return self._encoded(texts, self._document_prompt)

    def questions(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of questions."""
        return self._encoded(texts, self._question_prompt)

    def _encoded(self, texts: Sequence[str], prompt: str) -> list[list[int]]:
        given = [prompt + text for text in texts] if prompt else list(texts)
        # In portions: what the tokenizer returns holds far more than the ids.
        return [
            encoding.ids
            for first in range(0, len(given), _PORTION)
            for encoding in self._tokenizer.encode_batch_fast(given[first : first + _PORTION])
        ]
