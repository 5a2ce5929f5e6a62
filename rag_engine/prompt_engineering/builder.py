"""From a question and its passages to a prompt."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.errors import ConfigurationError, InvalidQueryError
from rag_engine.prompt_engineering.templates import ANSWER_TEMPLATE, Template, render_question, render_sources
from rag_engine.prompt_engineering.token_budget import fit
from rag_engine.protocols import Tokenizer
from rag_engine.types.generation import NumberedSource, Prompt
from rag_engine.types.retrieval import Passage


class PromptBuilder:
    """Builds prompts whose sources, fences and titles included, take at most ``context_tokens``."""

    def __init__(self, *, tokenizer: Tokenizer, context_tokens: int, template: Template = ANSWER_TEMPLATE) -> None:
        """Raises ConfigurationError where ``context_tokens`` is below 1."""
        if context_tokens < 1:
            raise ConfigurationError(
                f"a prompt of {context_tokens} tokens holds no source", hint="raise answering.context_tokens"
            )
        self._tokenizer = tokenizer
        self._context_tokens = context_tokens
        self._template = template

    def build(self, question: str, passages: Sequence[Passage]) -> Prompt:
        """The prompt for ``question`` over ``passages``, best first; those that do not fit are in ``dropped``.

        Raises:
            InvalidQueryError: the question is blank.
        """
        if not question.strip():
            raise InvalidQueryError("the question is empty")
        kept, dropped = fit(
            passages, tokenizer=self._tokenizer, budget_tokens=self._context_tokens, render=_render_passages
        )
        sources = _numbered(kept)
        content = "\n\n".join(part for part in (render_sources(sources), render_question(question)) if part)
        return Prompt(
            question=question,
            instructions=self._template.text,
            content=content,
            sources=sources,
            tokens=sum(self._tokenizer.count([self._template.text, content])),
            dropped=dropped,
        )


def _numbered(passages: Sequence[Passage]) -> tuple[NumberedSource, ...]:
    return tuple(NumberedSource(number, passage) for number, passage in enumerate(passages, start=1))


def _render_passages(passages: Sequence[Passage]) -> str:
    return render_sources(_numbered(passages))
