"""Rewriting by a language model, where there is one: a passage as it might answer (HyDE: Gao et al., 2022), a more
general question (step-back: Zheng et al., 2023), the question in other words (multi-query).

What it writes is searched for beside the question, never in its place, and is shown to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from rag_engine.protocols import LanguageModel
from rag_engine.types.generation import Completion, FinishReason, Prompt
from rag_engine.types.optimization import StrategyName, WeightedQuery

Await: TypeAlias = Callable[[Coroutine[Any, Any, Completion]], Completion]
WEIGHTS = {StrategyName.HYDE: 0.5, StrategyName.STEP_BACK: 0.3, StrategyName.MULTI_QUERY: 0.5}
MOST_WORDINGS = 4
_LONGEST = 2_000  # characters of one wording
_ENUMERATED = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s*")


class Rewriter:
    """Asks a language model for other wordings."""

    def __init__(self, *, model: LanguageModel, prompts: Mapping[StrategyName, str], wait: Await) -> None:
        """``prompts`` are the instructions of each strategy; ``wait`` runs the model's answer to its end."""
        self._model = model
        self._prompts = prompts
        self._wait = wait

    def strategies(self) -> tuple[StrategyName, ...]:
        """Those that there are instructions for."""
        return tuple(name for name in WEIGHTS if name in self._prompts)

    def rewrite(self, question: str, strategy: StrategyName) -> tuple[WeightedQuery, ...]:
        """Other wordings, together as heavy as the strategy is; none where the model has nothing to say.

        Raises:
            GenerationError: the model gives no answer.
        """
        instructions = self._prompts[strategy]
        prompt = Prompt(question, instructions, question, (), tokens=(len(instructions) + len(question)) // 4)
        completion = self._wait(self._model.complete(prompt))
        if completion.finish_reason is FinishReason.ABSTAINED:
            return ()
        if strategy is StrategyName.MULTI_QUERY:
            lines = [_ENUMERATED.sub("", line).strip() for line in completion.text.splitlines()]
            texts = list(dict.fromkeys(line for line in lines if line and line != question))[:MOST_WORDINGS]
        else:
            texts = [text] if (text := " ".join(completion.text.split())) else []
        if strategy is StrategyName.HYDE:
            texts = [f"{question} {text}" for text in texts]
        return tuple(WeightedQuery(text[:_LONGEST], WEIGHTS[strategy] / len(texts)) for text in texts)
