"""Which of a model's prompts stands before a document and which before a question, as sentence-transformers has it."""

from __future__ import annotations

from collections.abc import Mapping


def document_prompt(prompts: Mapping[str, str]) -> str:
    """The text in front of every document; empty where the model has none."""
    return next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), "")


def question_prompt(prompts: Mapping[str, str]) -> str:
    """The text in front of every question; empty where the model has none."""
    return prompts.get("query", "")
