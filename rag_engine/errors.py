"""Every error the engine raises. Each says what happened and why; its ``hint`` says how to mend it.

::

    RagEngineError
    ├── UsageError                     a call or command that cannot be carried out as written (exit status 2)
    │   ├── ConfigurationError         rag.toml, an environment variable or a setting
    │   ├── InvalidQueryError          an empty or oversized question, k out of range
    │   ├── InvalidFilterError         a filter that does not parse
    │   └── UnknownDocumentError       a document that the index does not hold
    ├── IngestionError                 one source could not be ingested; others are not touched
    │   ├── SourceNotFoundError        no such file, folder or match
    │   ├── UnreadableSourceError      permissions, vanished or changing while read        (retryable)
    │   ├── UnsupportedFormatError     no loader for what the file is
    │   ├── EmptySourceError           no text in it
    │   ├── DecodingError              encoding neither declared nor detected with certainty
    │   ├── ParsingError               not what its format requires
    │   ├── EncryptedSourceError       needs a password that was not given                 (retryable)
    │   ├── SourceTooLargeError        over a configured limit
    │   ├── DuplicateDocumentError     an id that another document has
    │   ├── TruncatedError             would be cut, and that was not to happen
    │   ├── ChunkingError              a document that the chunker cannot cut
    │   └── ParserFailureError         the loader's process was stopped
    │       ├── ParserTimeoutError     over the time cap
    │       ├── ParserMemoryError      over the memory cap
    │       └── ParserCrashError       died
    ├── EmbeddingError
    │   ├── ModelNotFoundError         no path, package or hub has it
    │   ├── ModelDamagedError          its files are not what they should be
    │   └── ModelMismatchError         not the model that the index was built with
    ├── RerankingError                 the cross-encoder cannot be had, loaded or used
    ├── StorageError
    │   ├── IndexNotFoundError         nothing there to read
    │   ├── IndexLockedError           another process is writing                          (retryable)
    │   ├── IndexReadOnlyError         the folder cannot be written
    │   ├── StorageFullError           no space left; nothing of the batch was kept         (retryable)
    │   ├── CatalogDamagedError        the catalog itself cannot be read
    │   ├── CacheDamagedError          an index file is not what it says; rebuilt from the catalog
    │   └── NewerFormatError           written by a later version
    ├── OutOfMemoryError               no more memory; nothing of the batch was kept
    ├── GenerationError
    │   ├── CitationError              a citation that does not equal the stored characters; never shown
    │   └── LanguageModelError         a provider, or the way to it; nine families, the leaves below them
    │       ├── AuthenticationError
    │       │   ├── MissingKeyError        no key was found
    │       │   ├── MalformedKeyError      a key that cannot be sent; it was not
    │       │   ├── InvalidKeyError        refused by the provider
    │       │   └── PermissionDeniedError  the key may not do this
    │       ├── RateLimitError             too many requests or tokens for now                 (retryable)
    │       │   ├── RampLimitError         more at once than the account has grown to         (retryable)
    │       │   └── ConcurrencyLimitError  too many at the same time                           (retryable)
    │       ├── QuotaError                 what was paid for or allowed is used up
    │       │   ├── CreditExhaustedError   no money left, or a spend limit of the provider
    │       │   ├── PeriodQuotaError       the day's, month's or trial's share is used up
    │       │   └── BudgetExceededError    over a budget of our own; nothing was sent
    │       ├── ModelTimeoutError          took longer than allowed                            (retryable)
    │       │   ├── ConnectTimeoutError    no connection in time
    │       │   ├── FirstByteTimeoutError  no answer began in time
    │       │   ├── StalledStreamError     nothing more came between two pieces
    │       │   ├── SlowStreamError        came too slowly for too long
    │       │   └── DeadlineExceededError  over the call's whole time
    │       ├── ModelConnectionError       the way to the provider failed                      (retryable)
    │       │   ├── NameResolutionError    its name has no address
    │       │   ├── ConnectionRefusedByHostError
    │       │   ├── TlsError               its certificate or handshake
    │       │   ├── ConnectionLostError    ended before an answer began
    │       │   ├── ProxyError             the proxy between
    │       │   └── RedirectError          sent elsewhere; the key does not follow
    │       ├── InvalidRequestError        what was asked cannot be done as it was asked
    │       │   ├── ContextWindowError     prompt and answer do not fit the model's window
    │       │   ├── UnknownModelError      the provider has no such model
    │       │   ├── UnsupportedParameterError
    │       │   └── RequestTooLargeError   over the provider's size limit
    │       ├── ContentPolicyError         a provider's rules
    │       │   ├── PromptBlockedError     the prompt was not let through
    │       │   └── OutputFilteredError    the answer was cut by a filter
    │       ├── ProviderFailureError       the provider did not do its part
    │       │   ├── ServerError            its own fault                                       (retryable)
    │       │   ├── OverloadedError        no capacity now                                     (retryable)
    │       │   ├── BadResponseError       not what its interface says
    │       │   ├── IncompleteResponseError  ended before its end; no part of it is an answer  (retryable)
    │       │   └── ResponseTooLargeError  over our cap
    │       └── RoutingError               none of a route's models answered
    │           ├── NoModelFitsError       all are unfit for the prompt or not well now; nothing was sent
    │           └── AllModelsFailedError   all that were asked failed; says how each did           (retryable)
    └── EvaluationError
        ├── GoldSetError               a gold set that cannot be read or does not fit the index
        └── CalibrationError           too few questions to calibrate on, or a risk that cannot be kept
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from rag_engine.error_handler.actions import Verdict
    from rag_engine.types.generation import Attempt


class RagEngineError(Exception):
    """Base of every error of the engine.

    ``message`` says what and why and is fit for showing to a user: no secret, no document text.
    ``hint`` says the mend. ``retryable`` says whether the same call may succeed later, unchanged.
    ``code`` is stable across versions, for programs.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = "run the command again with --debug and report what it prints"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint)

    @property
    def public_message(self) -> str:
        """What, why and the mend on one line."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


def _rebuild(kind: type[RagEngineError], message: str, hint: str) -> RagEngineError:
    return kind(message, hint=hint)


class UsageError(RagEngineError):
    """A call or command that cannot be carried out as written."""

    code = "usage"
    default_hint = "see rag --help"


class ConfigurationError(UsageError):
    """A setting is unknown, of the wrong type or out of range."""

    code = "configuration"
    default_hint = "docs/configuration.md lists every setting"


class InvalidQueryError(UsageError):
    """A question or k that cannot be searched for."""

    code = "invalid_query"
    default_hint = "give a question of 1 to 20,000 characters and a k from 1 to 10,000"


class InvalidFilterError(UsageError):
    """A filter that does not parse."""

    code = "invalid_filter"
    default_hint = "write it like: year >= 2020 and language in ['en', 'de']"


class UnknownDocumentError(UsageError):
    """The index holds no document of this id."""

    code = "unknown_document"
    default_hint = "give the id as rag search prints it"


class IngestionError(RagEngineError):
    """One source could not be ingested; the others are not touched by it."""

    code = "ingestion"
    default_hint = "mend the file and ingest again"


class SourceNotFoundError(IngestionError):
    """No such file or folder, or a pattern that matches nothing."""

    code = "source_not_found"
    default_hint = "check the path"


class UnreadableSourceError(IngestionError):
    """The file could not be read: permissions, or it vanished or changed meanwhile."""

    code = "unreadable_source"
    retryable = True
    default_hint = "check the permissions and ingest again"


class UnsupportedFormatError(IngestionError):
    """No loader reads this kind of file."""

    code = "unsupported_format"
    default_hint = "docs/formats.md lists what is read; convert the file to one of these"


class EmptySourceError(IngestionError):
    """The source holds no text."""

    code = "empty_source"
    default_hint = "nothing to do if it is meant to be empty"


class DecodingError(IngestionError):
    """The text's encoding could not be told with certainty; it is refused rather than mangled."""

    code = "decoding"
    default_hint = "save the file as UTF-8"


class ParsingError(IngestionError):
    """The file is not what its format requires."""

    code = "parsing"


class EncryptedSourceError(IngestionError):
    """The source is encrypted and no known password opens it; tried again at each ingest, as one may be known then."""

    code = "encrypted"
    retryable = True
    default_hint = "put its password into the setting ingestion.passwords, best through the environment"


class SourceTooLargeError(IngestionError):
    """The source is over a configured limit."""

    code = "source_too_large"
    default_hint = "split the file, or raise ingestion.max_file_bytes or ingestion.max_document_characters in rag.toml"


class DuplicateDocumentError(IngestionError):
    """Another document has the same id."""

    code = "duplicate_document"
    default_hint = "give each document an id of its own"


class TruncatedError(IngestionError):
    """Something of the document would be cut, and ``--strict`` has it refused for that."""

    code = "truncated"
    default_hint = "ingest without --strict to keep what fits, or split the document"


class ChunkingError(IngestionError):
    """The document could not be cut into chunks: it raised an error in the chunker, or ended its process twice."""

    code = "chunking"
    default_hint = "the document is set aside, the others are not touched; report it if it is honest"


class ParserFailureError(IngestionError):
    """The loader's process was stopped; the file is set aside."""

    code = "parser_failure"


class ParserTimeoutError(ParserFailureError):
    """The loader ran over its time cap."""

    code = "parser_timeout"
    default_hint = "raise ingestion.timeout_seconds in rag.toml if the file is honest"


class ParserMemoryError(ParserFailureError):
    """The loader ran over its memory cap."""

    code = "parser_memory"
    default_hint = "raise ingestion.memory_megabytes in rag.toml if the file is honest"


class ParserCrashError(ParserFailureError):
    """The loader's process died."""

    code = "parser_crash"
    default_hint = "the file is damaged or hostile; re-create or remove it"


class EmbeddingError(RagEngineError):
    """The embedding model could not do its work."""

    code = "embedding"


class ModelNotFoundError(EmbeddingError):
    """No path, installed package or reachable hub has the model."""

    code = "model_not_found"
    default_hint = "set embedding.model to the folder of a sentence-transformers model"


class ModelDamagedError(EmbeddingError):
    """The model's files are incomplete or not what they should be."""

    code = "model_damaged"
    default_hint = "install or copy the model again"


class ModelMismatchError(EmbeddingError):
    """The model answers differently from the one that the index was built with."""

    code = "model_mismatch"
    default_hint = "use the model of the index, or run: rag ingest --re-embed"


class RerankingError(RagEngineError):
    """The cross-encoder that was to rank the passages anew is not to be had, is none, or gave no usable scores."""

    code = "reranking"
    default_hint = "set retrieval.reranker to the folder of a sentence-transformers cross-encoder, or to nothing"


class StorageError(RagEngineError):
    """The index could not be read or written."""

    code = "storage"


class IndexNotFoundError(StorageError):
    """There is no index of this name."""

    code = "index_not_found"
    default_hint = "make it with: rag ingest PATH"


class IndexLockedError(StorageError):
    """Another process is writing to the index."""

    code = "index_locked"
    retryable = True
    default_hint = "wait for it to end, or raise --wait"


class IndexReadOnlyError(StorageError):
    """The index's folder cannot be written."""

    code = "index_read_only"
    default_hint = "make the folder writable or choose another --root"


class StorageFullError(StorageError):
    """The disk is full; nothing of the batch at hand was kept, everything before it was."""

    code = "storage_full"
    retryable = True
    default_hint = "free some space and run the same command again; it goes on where it stood"


class CatalogDamagedError(StorageError):
    """The catalog, the only truth, cannot be read as a whole."""

    code = "catalog_damaged"
    default_hint = "run: rag doctor, which says what can be saved"


class CacheDamagedError(StorageError):
    """An index file is not what it says; it is rebuilt from the catalog."""

    code = "cache_damaged"
    default_hint = "nothing to do: it is rebuilt from the catalog"


class NewerFormatError(StorageError):
    """The index was written by a later version of the engine."""

    code = "newer_format"
    default_hint = "upgrade rag_engine, or ingest into another index"


class OutOfMemoryError(RagEngineError):
    """The machine gave no more memory; nothing of the batch at hand was kept, everything before it was."""

    code = "out_of_memory"
    default_hint = (
        "lower ingestion.batch_chunks or ingestion.workers in rag.toml, and run the same command again: "
        "it goes on where it stood"
    )


class GenerationError(RagEngineError):
    """An answer could not be made."""

    code = "generation"


class CitationError(GenerationError):
    """A citation does not equal the stored characters; the answer is withheld."""

    code = "citation"


class LanguageModelError(GenerationError):
    """A provider of a language model, or the way to it, failed. Its nine subclasses are the families.

    ``provider`` and ``model`` say whose, ``status`` is that of HTTP, ``phase`` how far the call had come
    (``error_handler.Phase``), ``request_id`` what the provider calls it. ``retry_after`` is seconds that the provider
    asks to wait, ``attempts`` the calls made until now (``types.generation.Attempt``), this one included where known.
    ``verdict`` is what to do about this one (``error_handler.verdict_for``), where the provider's words call for other
    than its class does.
    """

    code = "language_model"
    default_hint = "rag models shows what is configured"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        phase: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        attempts: tuple[Attempt, ...] = (),
        verdict: Verdict | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.model = model
        self.status = status
        self.phase = phase
        self.request_id = request_id
        self.retry_after = retry_after
        self.attempts = attempts
        self.verdict = verdict

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_model_error, (type(self), self.message, {name: getattr(self, name) for name in _ABOUT_THE_CALL})


_ABOUT_THE_CALL = ("hint", "provider", "model", "status", "phase", "request_id", "retry_after", "attempts", "verdict")


def _rebuild_model_error(kind: type[LanguageModelError], message: str, about: Mapping[str, Any]) -> LanguageModelError:
    return kind(message, **about)


class AuthenticationError(LanguageModelError):
    """The provider does not take who asks."""

    code = "authentication"
    default_hint = "check the provider's key"


class MissingKeyError(AuthenticationError):
    """No key was found for the provider; nothing was sent."""

    code = "missing_key"
    default_hint = "put the key into the environment variable that the message names"


class MalformedKeyError(AuthenticationError):
    """The key holds what no header can hold, such as a line end; nothing was sent."""

    code = "malformed_key"
    default_hint = "copy the key again, without spaces and line ends"


class InvalidKeyError(AuthenticationError):
    """The provider refuses the key."""

    code = "invalid_key"
    default_hint = "make a new key at the provider, and put it where the old one was"


class PermissionDeniedError(AuthenticationError):
    """The key is known, and may not do this."""

    code = "permission_denied"
    default_hint = "ask the account's owner for access to the model, or choose another"


class RateLimitError(LanguageModelError):
    """More requests or tokens than the provider takes for now."""

    code = "rate_limit"
    retryable = True
    default_hint = "wait, or send less at a time"


class RampLimitError(RateLimitError):
    """The rate rose faster than the provider lets it."""

    code = "ramp_limit"
    default_hint = "send less, and more little by little"


class ConcurrencyLimitError(RateLimitError):
    """More calls at the same time than the provider takes."""

    code = "concurrency_limit"
    default_hint = "ask fewer questions at once"


class QuotaError(LanguageModelError):
    """What was paid for or allowed is used up; to ask again does not help."""

    code = "quota"
    default_hint = "see the account's limits at the provider"


class CreditExhaustedError(QuotaError):
    """No money is left, or a spend limit at the provider is reached."""

    code = "credit_exhausted"
    default_hint = "add credit at the provider, or raise its spend limit"


class PeriodQuotaError(QuotaError):
    """The share of a day, a month or a trial is used up."""

    code = "period_quota"
    default_hint = "wait until the next day or month, or take another plan or model"


class BudgetExceededError(QuotaError):
    """A budget of your own would be exceeded; nothing was sent."""

    code = "budget_exceeded"
    default_hint = "raise the budget in rag.toml, or choose a cheaper model"


class ModelTimeoutError(LanguageModelError):
    """The provider took longer than allowed."""

    code = "model_timeout"
    retryable = True
    default_hint = "try again, or allow more time"


class ConnectTimeoutError(ModelTimeoutError):
    """No connection to the provider in time."""

    code = "connect_timeout"
    default_hint = "check the address and the network"


class FirstByteTimeoutError(ModelTimeoutError):
    """No answer began in time."""

    code = "first_byte_timeout"
    default_hint = "try again, or raise llm.first_byte_seconds"


class StalledStreamError(ModelTimeoutError):
    """An answer stopped coming midway; what came of it is no answer."""

    code = "stalled_stream"
    default_hint = "try again, or raise llm.idle_seconds"


class SlowStreamError(ModelTimeoutError):
    """An answer came more slowly than allowed for too long."""

    code = "slow_stream"
    default_hint = "try again, or lower llm.minimum_bytes_per_second"


class DeadlineExceededError(ModelTimeoutError):
    """The call's whole time is over."""

    code = "deadline_exceeded"
    default_hint = "try again, or raise llm.deadline_seconds"


class ModelConnectionError(LanguageModelError):
    """The way to the provider failed."""

    code = "model_connection"
    retryable = True
    default_hint = "check the network, and try again"


class NameResolutionError(ModelConnectionError):
    """The provider's name has no address."""

    code = "name_resolution"
    default_hint = "check llm.base_url and the network"


class ConnectionRefusedByHostError(ModelConnectionError):
    """Nothing listens at the provider's address."""

    code = "connection_refused"
    default_hint = "start the server, or check llm.base_url"


class TlsError(ModelConnectionError):
    """The provider's certificate or the handshake is not right; nothing was sent."""

    code = "tls"
    retryable = False
    default_hint = "check llm.base_url, the clock and what stands between"


class ConnectionLostError(ModelConnectionError):
    """The connection ended before an answer began."""

    code = "connection_lost"
    default_hint = "try again"


class ProxyError(ModelConnectionError):
    """The proxy between did not let the call through."""

    code = "proxy"
    retryable = False
    default_hint = "check HTTPS_PROXY and the proxy's password"


class RedirectError(ModelConnectionError):
    """The provider sent the call elsewhere; the key did not follow."""

    code = "redirect"
    retryable = False
    default_hint = "set llm.base_url to the address that is meant"


class InvalidRequestError(LanguageModelError):
    """What was asked cannot be done as it was asked."""

    code = "invalid_request"
    default_hint = "mend what the provider names"


class ContextWindowError(InvalidRequestError):
    """The prompt and the answer do not fit the model's window."""

    code = "context_window"
    default_hint = "lower answering.context_tokens, or choose a model with a larger window"


class UnknownModelError(InvalidRequestError):
    """The provider has no such model, or not for this key."""

    code = "unknown_model"
    default_hint = "rag models lists names; check the model's at the provider"


class UnsupportedParameterError(InvalidRequestError):
    """The model does not take a parameter, or not that value."""

    code = "unsupported_parameter"
    default_hint = "leave the parameter out"


class RequestTooLargeError(InvalidRequestError):
    """The request is over the provider's limit of size."""

    code = "request_too_large"
    default_hint = "send less"


class ContentPolicyError(LanguageModelError):
    """A provider's rules stand against it."""

    code = "content_policy"
    default_hint = "ask differently; another provider is not asked behind your back"


class PromptBlockedError(ContentPolicyError):
    """The provider did not let the prompt through."""

    code = "prompt_blocked"


class OutputFilteredError(ContentPolicyError):
    """The provider's filter cut the answer; what came of it is no answer."""

    code = "output_filtered"


class ProviderFailureError(LanguageModelError):
    """The provider did not do its part."""

    code = "provider_failure"
    retryable = True
    default_hint = "try again, or choose another provider"


class ServerError(ProviderFailureError):
    """The provider reports a fault of its own."""

    code = "server"


class OverloadedError(ProviderFailureError):
    """The provider has no capacity now."""

    code = "overloaded"


class BadResponseError(ProviderFailureError):
    """The answer is not what the provider's interface says."""

    code = "bad_response"
    retryable = False
    default_hint = "check llm.base_url; what stands there may not be the provider"


class IncompleteResponseError(ProviderFailureError):
    """The answer ended before its end; what came of it is no answer."""

    code = "incomplete_response"


class ResponseTooLargeError(ProviderFailureError):
    """The answer is over the cap on its size."""

    code = "response_too_large"
    retryable = False
    default_hint = "lower the longest answer, or raise llm.max_response_bytes"


class RoutingError(LanguageModelError):
    """None of a route's models answered. ``causes`` says of each deployment why: its name, and the error or the check
    that it did not pass in words."""

    code = "routing"
    default_hint = "rag route QUESTION --explain shows what each model lacks"

    def __init__(self, message: str, *, causes: Sequence[tuple[str, Exception | str]] = (), **about: Any) -> None:
        super().__init__(message, **about)
        self.causes = tuple(causes)

    def __reduce__(self) -> tuple[object, ...]:
        about = {name: getattr(self, name) for name in (*_ABOUT_THE_CALL, "causes")}
        return _rebuild_model_error, (type(self), self.message, about)


class NoModelFitsError(RoutingError):
    """Every model of a route is unfit for this prompt or not well now; nothing was sent."""

    code = "no_model_fits"


class AllModelsFailedError(RoutingError):
    """Models of a route were asked, and none gave an answer."""

    code = "all_models_failed"
    retryable = True
    default_hint = "each cause has its own mend; rag models --health shows which models are well"


class EvaluationError(RagEngineError):
    """An evaluation could not be carried out."""

    code = "evaluation"


class GoldSetError(EvaluationError):
    """A gold set cannot be read, or does not fit the index."""

    code = "gold_set"
    default_hint = "docs/evaluation.md describes the two forms of gold sets"


class CalibrationError(EvaluationError):
    """The index gives too few questions to calibrate on, or no threshold keeps the risk that was asked for."""

    code = "calibration"
    default_hint = "docs/answers.md says what a calibration needs"
