"""Settings: defaults, then rag.toml, then RAG_ENGINE__SECTION__KEY, then arguments. Unknown keys are refused."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from rag_engine.errors import ConfigurationError
from rag_engine.types.optimization import StrategyName
from rag_engine.types.retrieval import SearchMode

ENVIRONMENT_PREFIX = "RAG_ENGINE__"
FILE_NAME = "rag.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IngestionSettings(_Section):
    """What is read, and the caps under which each file is parsed."""

    timeout_seconds: float = Field(60.0, gt=0, description="time cap of one file's parse")
    memory_megabytes: int = Field(2048, ge=256, description="memory cap of the parsing process")
    max_file_bytes: int = Field(1 << 30, gt=0, description="files above are refused")
    max_document_characters: int = Field(20_000_000, gt=0, description="documents above are refused")
    include: tuple[str, ...] = Field((), description="only files that these patterns match, written as in a .gitignore")
    exclude: tuple[str, ...] = Field((), description="no file or folder that these patterns match")
    near_duplicates: Literal["keep", "link", "drop"] = Field(
        "keep", description="documents that are nearly the same are all shown, shown as one, or only the first searched"
    )
    near_duplicate_threshold: float = Field(
        0.9, ge=0.7, le=1, description="Jaccard similarity of word 5-grams from which documents are nearly the same"
    )
    watch_seconds: float = Field(1.0, gt=0, le=3600, description="rag watch ingests when so long nothing changed")
    passwords: tuple[SecretStr, ...] = Field((), description="tried on encrypted files; one a line in the environment")
    archive_depth: int = Field(3, ge=0, description="archives and mails within each other that are opened")
    archive_members: int = Field(100_000, ge=1, description="files read out of one archive, nested ones included")
    archive_bytes: int = Field(1 << 30, gt=0, description="bytes unpacked from one archive, nested ones included")
    batch_chunks: int = Field(1024, gt=0, description="chunks embedded and committed together, at least")
    workers: int = Field(
        0, ge=0, le=256, description="processes that parse, and as many that chunk; 0: one less than the usable cores"
    )

    @field_validator("passwords", "include", "exclude", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """A password or pattern holds any character but a line end: so text, as the environment gives it, is cut
        there."""
        return [line for line in value.splitlines() if line] if isinstance(value, str) else value


class ChunkingSettings(_Section):
    """How documents are cut."""

    target_tokens: int = Field(
        96, ge=14, description="tokens of a chunk's text, at most; with its context never over the model's window"
    )


class EmbeddingSettings(_Section):
    """Which model embeds."""

    model: str = Field("all-MiniLM-L6-v2", min_length=1, description="folder or name of a sentence-transformers model")
    runtime: Literal[
        "auto", "openvino-int8", "openvino-bf16", "onnxruntime-int8", "onnxruntime-fp32", "sentence-transformers"
    ] = Field("auto", description="what runs it; auto compiles it for this machine and takes what measures best")
    cache: str | None = Field(None, description="folder of compiled models; the user's cache folder where absent")
    batch_size: int = Field(32, gt=0, description="texts that sentence-transformers embeds together")


class RetrievalSettings(_Section):
    """How passages are found."""

    mode: SearchMode = Field(SearchMode.HYBRID, description="hybrid, dense or lexical")
    k: int = Field(10, ge=1, le=10_000, description="results of a search")
    depth: int = Field(200, ge=1, description="chunks that each leg brings to the fusion")
    # The rows quality/uplift and quality/*-hybrid of benchmarks/README.md.
    dense_weight: float | None = Field(
        None,
        ge=0,
        le=1,
        description="the dense leg's share of a fused score; told from each question's scores if absent",
    )
    stretch_share: float = Field(
        0.7, ge=0, le=1, description="share of a chunk's lexical score that comes from the stretch of text around it"
    )
    feedback: float = Field(
        0.4, ge=0, lt=1, description="how far a question's vector is moved towards what it found first, at most"
    )
    reranker: str | None = Field(
        None, description="folder or name of a cross-encoder of sentence-transformers; none where absent or empty"
    )
    rerank_depth: int = Field(30, ge=1, le=1000, description="passages, from the best, that the reranker judges")
    rerank_weight: float = Field(0.7, ge=0, le=1, description="the reranker's share of a passage's score")
    # Off: it costs nDCG@10, as benchmarks/quality/diversity.py measures.
    diversity: float = Field(
        0.0, ge=0, le=1, description="how much a passage loses by saying what one before it says; 0: nothing"
    )
    # The rows of chunking/* in benchmarks/README.md, and below in answering.
    neighbour_weight: float = Field(0.15, ge=0, le=1, description="how much the chunks beside a chunk say for it")
    passage_tokens: int = Field(
        320, ge=0, le=100_000, description="tokens up to which a passage holds the chunks beside the one that was found"
    )


class QueryOptimizerSettings(_Section):
    """What is made of a question before it is searched for."""

    enabled: bool = Field(True, description="false: every question is searched for as it stands")
    strategies: tuple[StrategyName, ...] | None = Field(
        None, description="those that may be used, all where absent; one a line or between commas in the environment"
    )
    # Off: the row quality/strategies of benchmarks/README.md.
    synonyms: bool = Field(False, description="expansion also adds words that the embedding model holds for near")

    @field_validator("strategies", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """Text, as the environment gives it, is cut at line ends and commas."""
        return value.replace(",", "\n").split() if isinstance(value, str) else value


class AnsweringSettings(_Section):
    """How questions are answered."""

    passages: int = Field(8, ge=1, le=100, description="passages that an answer may draw on, at most")
    least_share: float = Field(
        0.5, ge=0, le=1, description="of the best passage's score, that others must have for an answer to draw on them"
    )
    # Three of four refusals on SQuAD2 are right, and at most one in ten answerable questions of SQuAD2 and CLAPnq is
    # refused: the table of thresholds in benchmarks/README.md, quality/squad2_dev_half-answers and clapnq_dev-answers.
    abstain_below: float = Field(0.32, ge=0, le=1, description="confidence under which the engine abstains")
    context_tokens: int = Field(4096, ge=64, description="tokens of the sources in a prompt")


class LlmSettings(_Section):
    """Which language model writes the answers, and what a call may take."""

    model: str = Field(
        "extractive", min_length=1, description="PROVIDER/MODEL or route/NAME; extractive: the sources' own sentences"
    )
    fallbacks: tuple[str, ...] = Field(
        (), description="models asked in turn where that fails; one a line or between commas in the environment"
    )
    routes_file: str | None = Field(None, description="TOML file with deployments and routes")
    base_url: str | None = Field(None, description="address of the provider's interface, where it is not its usual one")
    api_version: str | None = Field(None, description="version of the provider's interface")
    key: SecretStr | None = Field(None, description="the provider's key; better in the environment or in a file")
    key_file: str | None = Field(None, description="file that holds the provider's key and nothing else")
    models_file: str | None = Field(None, description="TOML file with models of your own, or other facts about known")
    max_output_tokens: int = Field(4096, ge=1, description="tokens of an answer, at most; reasoning counts among them")
    attempts: int = Field(3, ge=1, le=10, description="calls of one model for one answer, where another may help")
    deadline_seconds: float = Field(120.0, gt=0, description="whole time of an answer, all attempts together")
    connect_seconds: float = Field(5.0, gt=0, description="time for a connection")
    first_byte_seconds: float = Field(60.0, gt=0, description="time until an answer begins")
    idle_seconds: float = Field(30.0, gt=0, description="time between two pieces of an answer")
    minimum_bytes_per_second: float = Field(1.0, ge=0, description="slower answers are given up after 20 seconds")
    max_response_bytes: int = Field(64 << 20, gt=0, description="answers above are refused")
    budget_per_call: float | None = Field(None, ge=0, description="US dollars that one answer may cost at most")
    budget_per_day: float | None = Field(None, ge=0, description="US dollars that a day (UTC) may cost at most")

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """Text, as the environment gives it, is cut at line ends and commas."""
        return value.replace(",", "\n").split() if isinstance(value, str) else value


class IndexSettings(_Section):
    """Where indexes live, and how their vectors are searched."""

    root: str = Field("indexes", min_length=1, description="folder that holds the indexes, one folder each")
    wait_seconds: float = Field(30.0, ge=0, description="how long to wait for another writer")
    # Twenty thousand vectors are compared in a millisecond; from there on codes are faster: speed/dense.
    exact_up_to: int = Field(20_000, ge=0, description="vectors up to which a dense search compares all")
    recall_target: float = Field(
        0.99, ge=0, le=1, description="recall@10 against the exact search that a dense search above that must reach"
    )


class TracingSettings(_Section):
    """Where spans go, and what stands in them."""

    exporter: Literal["none", "console", "otlp"] = Field("none", description="none, console (stderr) or otlp")
    endpoint: str | None = Field(None, description="address of the OTLP collector; the exporter's default where absent")
    keep: int = Field(100, ge=0, le=100_000, description="traces kept with an index, for rag trace; 0: none")
    content: bool = Field(False, description="true: questions, prompts and answers stand in traces")


class Settings(_Section):
    """Every setting, by section."""

    ingestion: IngestionSettings = Field(default_factory=IngestionSettings)  # type: ignore[arg-type]
    chunking: ChunkingSettings = Field(default_factory=ChunkingSettings)  # type: ignore[arg-type]
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)  # type: ignore[arg-type]
    retrieval: RetrievalSettings = Field(default_factory=RetrievalSettings)  # type: ignore[arg-type]
    query_optimizer: QueryOptimizerSettings = Field(default_factory=QueryOptimizerSettings)  # type: ignore[arg-type]
    answering: AnsweringSettings = Field(default_factory=AnsweringSettings)  # type: ignore[arg-type]
    llm: LlmSettings = Field(default_factory=LlmSettings)  # type: ignore[arg-type]
    index: IndexSettings = Field(default_factory=IndexSettings)  # type: ignore[arg-type]
    tracing: TracingSettings = Field(default_factory=TracingSettings)  # type: ignore[arg-type]


def load_settings(
    file: Path | None = None,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from ``file`` (else rag.toml in the working folder, if there), the environment, and ``overrides``.

    Raises:
        ConfigurationError: the file is absent or no TOML, or a key is unknown or a value unfit; says which.
    """
    environment = os.environ if environment is None else environment
    merged: dict[str, dict[str, Any]] = {}
    origins: dict[tuple[str, ...], str] = {}
    for origin, layer in (
        _file_layer(file),
        ("the environment", _environment_layer(environment)),
        ("the arguments", {section: dict(values) for section, values in (overrides or {}).items()}),
    ):
        for section, values in layer.items():
            if not isinstance(values, Mapping):
                raise ConfigurationError(f"{origin}: {section} is not a section; write [{section}] and its keys below")
            merged.setdefault(section, {}).update(values)
            origins.update({(section, key): origin for key in values})
            origins[section,] = origin
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise _explained(error, origins) from error
    if settings.ingestion.passwords:
        _warn_of_readable_passwords(origins["ingestion", "passwords"])
    if settings.llm.key is not None:
        _warn_of_a_key_in_clear(origins["llm", "key"])
    return settings


def _file_layer(file: Path | None) -> tuple[str, dict[str, Any]]:
    path = file or Path(FILE_NAME)
    try:
        return str(path), tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if file is None:
            return str(path), {}
        raise ConfigurationError(f"no settings file at {path}", hint="check --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}", hint="mend or remove the file") from error


def _warn_of_readable_passwords(origin: str) -> None:
    """Says so where passwords lie in a file that other users of the machine may read."""
    path = Path(origin)
    if path.is_file() and os.name == "posix" and path.stat().st_mode & 0o077:
        import logging

        logging.getLogger(__name__).warning(
            "%s holds passwords and others may read it: chmod 600 it, or give them in %sINGESTION__PASSWORDS",
            origin,
            ENVIRONMENT_PREFIX,
        )


def _warn_of_a_key_in_clear(origin: str) -> None:
    """Says so where a provider's key stands in a settings file, which is copied and committed as no key should be."""
    if Path(origin).is_file():
        import logging

        logging.getLogger(__name__).warning(
            "%s holds a key in clear: put it into the provider's environment variable, or its file's path into "
            "llm.key_file",
            origin,
        )


def _environment_layer(environment: Mapping[str, str]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if not (section and separator and key):
            raise ConfigurationError(f"{name} names no setting", hint=f"write {ENVIRONMENT_PREFIX}SECTION__KEY")
        layer.setdefault(section, {})[key] = value
    return layer


def _explained(error: ValidationError, origins: Mapping[tuple[str, ...], str]) -> ConfigurationError:
    first = error.errors(include_url=False, include_input=False)[0]
    place = tuple(str(part) for part in first["loc"])
    origin = origins.get(place[:2]) or origins.get(place[:1]) or "the defaults"
    name = ".".join(place)
    if first["type"] == "extra_forbidden":
        known = Settings.model_fields if len(place) == 1 else _section_fields(place[0])
        return ConfigurationError(f"{origin}: unknown setting {name}", hint=f"known here: {', '.join(known)}")
    return ConfigurationError(f"{origin}: {name}: {first['msg']}")


def _section_fields(section: str) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = type(getattr(Settings(), section)).model_fields
    return fields
