"""Prompts: instruction texts, what of the evidence fits, its rendering, and citations proven against stored text."""

from rag_engine.prompt_engineering.builder import PromptBuilder
from rag_engine.prompt_engineering.citations import (
    Verdict,
    Verification,
    resolve_citations,
    text_digest,
    unknown_markers,
    verify_citation,
)
from rag_engine.prompt_engineering.templates import ANSWER_TEMPLATE, Template
from rag_engine.prompt_engineering.token_budget import fit

__all__ = [
    "ANSWER_TEMPLATE",
    "PromptBuilder",
    "Template",
    "Verdict",
    "Verification",
    "fit",
    "resolve_citations",
    "text_digest",
    "unknown_markers",
    "verify_citation",
]
