"""A LanguageModel that says what it was told to say: for tests and examples, with no network and no chance in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rag_engine.errors import ConfigurationError, GenerationError
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    Quotation,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageSource,
)

ABSTENTION = "There are no sources to answer from."
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s|\Z)|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """An answer of which a stream gives ``text``, and then fails with ``error``; asked for the whole, it fails at
    once."""

    text: str
    error: Exception


ScriptedAnswer: TypeAlias = str | Completion | BrokenOff | Exception


class ScriptedModel:
    """Answers from a sequence, one entry a prompt, or from a function of the prompt.

    An entry is a text, a Completion, an exception to raise, or a BrokenOff. Without ``answers`` it quotes the first
    source's first sentence with its marker, and abstains where there are no sources. A word counts as a token.

    ``prompts`` are those it was asked, in order, the failed ones too.
    """

    def __init__(
        self,
        answers: Sequence[ScriptedAnswer] | Callable[[Prompt], ScriptedAnswer] | None = None,
        *,
        name: str = "scripted",
        cite: Sequence[int] = (),
        piece_characters: int = 16,
        delay: float = 0.0,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:
        """``cite`` are markers put behind every text that is given as such. A stream comes in pieces of
        ``piece_characters``. Before a whole answer, and before every piece of a stream, it waits ``delay`` seconds with
        ``sleep``, which is asyncio's where none is given.

        Raises:
            ConfigurationError: pieces of no character, a wait of less than no time, or a text in place of answers.
        """
        if piece_characters < 1:
            raise ConfigurationError(f"pieces of {piece_characters} characters are none", hint="give 1 at least")
        if not 0 <= delay < float("inf"):
            raise ConfigurationError(f"nobody waits {delay} seconds", hint="give 0 or more")
        if isinstance(answers, str):
            raise ConfigurationError("a text is no sequence of answers", hint="write [text]")
        self.name = name
        self.prompts: list[Prompt] = []
        self._answers = _from_sources if answers is None else answers
        self._markers = "".join(f" [{marker}]" for marker in cite)
        self._piece_characters = piece_characters
        self._delay = delay
        self._sleep = sleep

    async def complete(self, prompt: Prompt) -> Completion:
        """The next answer, whole.

        Raises:
            GenerationError: all answers are given.
        """
        answer = self._next(prompt)
        await self._wait()
        if isinstance(answer, BrokenOff):
            raise answer.error
        return answer

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The next answer, in pieces.

        Raises:
            GenerationError: all answers are given.
        """
        answer = self._next(prompt)
        if isinstance(answer, Completion):
            for piece in self._pieces(answer.reasoning):
                await self._wait()
                yield ReasoningDelta(piece)
        for piece in self._pieces(answer.text):
            await self._wait()
            yield TextDelta(piece)
        if isinstance(answer, BrokenOff):
            raise answer.error
        yield CompletionDone(answer)

    def _next(self, prompt: Prompt) -> Completion | BrokenOff:
        self.prompts.append(prompt)
        if callable(self._answers):
            answer = self._answers(prompt)
        elif len(self.prompts) <= len(self._answers):
            answer = self._answers[len(self.prompts) - 1]
        else:
            raise GenerationError(
                f"the script of {self.name} has {len(self._answers)} answers, and this is question {len(self.prompts)}",
                hint="give it more answers, or a function",
            )
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            text = answer + self._markers
            return Completion(text=text, model=self.name, finish_reason=FinishReason.STOP, usage=_usage(prompt, text))
        if isinstance(answer, Completion) and not answer.model:
            return replace(answer, model=self.name)
        return answer

    def _pieces(self, text: str) -> Iterator[str]:
        return (text[at : at + self._piece_characters] for at in range(0, len(text), self._piece_characters))

    async def _wait(self) -> None:
        if not self._delay:
            return
        if self._sleep is None:
            import asyncio  # whoever awaits has it already

            self._sleep = asyncio.sleep
        await self._sleep(self._delay)


def _from_sources(prompt: Prompt) -> Completion:
    for source in prompt.sources:
        found = _SENTENCE.search(source.passage.text)
        if found:
            text = f"{' '.join(found[0].split())} [{source.number}]"
            start = source.passage.start
            return Completion(
                text=text,
                model="",
                finish_reason=FinishReason.STOP,
                usage=_usage(prompt, text),
                quotations=(Quotation(source.number, start + found.start(), start + found.end()),),
            )
    return Completion(text=ABSTENTION, model="", finish_reason=FinishReason.ABSTAINED, usage=_usage(prompt, ABSTENTION))


def _usage(prompt: Prompt, text: str) -> Usage:
    read = prompt.tokens or len(f"{prompt.instructions} {prompt.content}".split())
    return Usage(read, len(text.split()), cost=0.0, source=UsageSource.ESTIMATED)
