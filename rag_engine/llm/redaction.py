"""A key that comes back: servers and what stands before them repeat it where they like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rag_engine.errors import LanguageModelError, RagEngineError
from rag_engine.types.generation import Completion
from rag_engine.types.secret import Secret


class Redaction:
    """Takes one key out of all that is kept, logged or raised of an answer. The answer's text is its reader's own."""

    def __init__(self, key: Secret | None) -> None:
        self.of_text = (key or Secret("")).removed_from

    def of_headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers of an answer; request ids are among them."""
        values = "\n".join(headers.values())
        if self.of_text(values) == values:
            return headers
        return {name: self.of_text(value) for name, value in headers.items()}

    def of_completion(self, completion: Completion) -> Completion:
        """With the names that a provider gave the call and the model."""
        request_id, model = self.of_text(completion.request_id), self.of_text(completion.model)
        if (request_id, model) == (completion.request_id, completion.model):
            return completion
        return replace(completion, request_id=request_id, model=model)

    def of_error(self, error: BaseException) -> BaseException:
        """The same error. What it was made of, and says not to show, may hold the whole answer: that is let go."""
        if isinstance(error, RagEngineError):
            error.message, error.hint = self.of_text(error.message), self.of_text(error.hint)
            error.args = (error.message,)
            if isinstance(error, LanguageModelError):
                error.request_id = self.of_text(error.request_id)
            if error.__suppress_context__:
                error.__context__ = None
        return error
