"""From settings to an engine's parts: the one place that knows every class.

A part is imported where it is made: a search imports nothing of an ingest.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine import tracing
from rag_engine.embedding import CachedEmbedder, WeightDigests, default_cache, find_model, open_embedder, usable_cores
from rag_engine.errors import EmbeddingError, ParserFailureError, RagEngineError, RerankingError, UsageError
from rag_engine.index import Index, LockedEmbedder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag_engine.config import LlmSettings, Settings
    from rag_engine.context_retrieval import HybridRetriever, OptimizedRetriever
    from rag_engine.embedding import ModelFiles
    from rag_engine.evaluation import GoldSet
    from rag_engine.ingestion import Sandbox
    from rag_engine.jobs.calibrate import CalibrateJob
    from rag_engine.jobs.calibration_file import MadeWith
    from rag_engine.jobs.estimate import EstimateJob
    from rag_engine.jobs.evaluate import AskQuestion, EvaluateJob, ReportQuestions
    from rag_engine.jobs.explain import ExplainJob
    from rag_engine.jobs.explain_trial import AskingParts
    from rag_engine.jobs.gold_making import GoldMakingJob
    from rag_engine.jobs.health import HealthJob
    from rag_engine.jobs.ingest import IngestJob
    from rag_engine.jobs.ingest_progress import ReportProgress
    from rag_engine.jobs.learn import LearnJob
    from rag_engine.jobs.model_outcomes import AnswersHeard
    from rag_engine.jobs.multi_llm_orchestrator import AskJob
    from rag_engine.jobs.standings import StandingsJob
    from rag_engine.jobs.tune import TuneJob
    from rag_engine.ledger import Ledger, RoutingLedger, UsageLedger
    from rag_engine.llm import ExtractiveModel
    from rag_engine.llm.model_catalog import ModelCatalog
    from rag_engine.llm.router import RoutedModel
    from rag_engine.llm.routes import ActiveProbes, Routes
    from rag_engine.llm.transport import WireLimits
    from rag_engine.prompt_engineering import PromptBuilder
    from rag_engine.protocols import Embedder, LanguageModel, ModelSelector, Reranker
    from rag_engine.query_optimizer import Optimizer
    from rag_engine.query_optimizer.strategy import QueryStrategy
    from rag_engine.semantic_chunking import StructuralChunker
    from rag_engine.types.document import JsonValue
    from rag_engine.types.repair import Repair
    from rag_engine.types.secret import Secret


class Assembly:
    """The parts over one index folder, each made when first asked for."""

    def __init__(self, folder: Path, *, settings: Settings, create: bool) -> None:
        """Opens the index, made when absent if ``create`` says so."""
        self.settings = settings
        spans = settings.tracing
        tracing.configure_exporter(exporter=spans.exporter, endpoint=spans.endpoint)
        self.traces = tracing.TraceJournal(folder, keep=spans.keep, content=spans.content)
        self.index = Index.open(
            folder,
            create=create,
            exact_up_to=settings.index.exact_up_to,
            recall_target=settings.index.recall_target,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The model of the settings, whatever the index was built with; compiled now where it was not yet."""
        settings = self.settings.embedding
        return open_embedder(
            self._model_files, runtime=settings.runtime, cache=self._cache, batch_size=settings.batch_size
        )

    @cached_property
    def _model_files(self) -> ModelFiles:
        return find_model(self.settings.embedding.model, digests=WeightDigests(self._cache / "weights.json"))

    @property
    def _cache(self) -> Path:
        cache = self.settings.embedding.cache
        return default_cache() if cache is None else Path(cache).expanduser()

    @cached_property
    def index_embedder(self) -> Embedder:
        """The model of the settings, refused where it is not the index's; it remembers its vectors."""
        return LockedEmbedder(lambda: CachedEmbedder(self.embedder), catalog=self.index.catalog)

    @cached_property
    def chunker(self) -> StructuralChunker:
        """The chunker for the model's window."""
        from rag_engine.embedding.distillation import open_static_vectors
        from rag_engine.semantic_chunking import StructuralChunker

        return StructuralChunker(
            tokenizer=self.embedder.tokenizer,
            max_tokens=self.embedder.identity.max_tokens,
            target_tokens=self.settings.chunking.target_tokens,
            static_vectors=open_static_vectors(self.embedder, cache=self._cache),
        )

    def close(self) -> None:
        """Closes the index and what lies beside it."""
        probes = vars(self).get("probes")
        if probes is not None:
            probes.abandon()
        if "_routes" in vars(self):
            self.routes.record_health()
        self.index.close()
        for part in ("ledger", "usage_ledger", "routing_ledger"):
            if part in vars(self):
                getattr(self, part).close()

    @cached_property
    def ledger(self) -> Ledger:
        """What was learnt from earlier searches."""
        from rag_engine.ledger import FILE_NAME, Ledger

        return Ledger(self.index.folder / FILE_NAME)

    @cached_property
    def usage_ledger(self) -> UsageLedger:
        """What the index's questions cost."""
        from rag_engine.ledger import USAGE_FILE_NAME, UsageLedger

        settings = self.settings.llm
        return UsageLedger(
            self.index.folder / USAGE_FILE_NAME,
            budget_per_call=settings.budget_per_call,
            budget_per_day=settings.budget_per_day,
        )

    @cached_property
    def optimizer(self) -> Optimizer | None:
        """What plans searches; None where the settings say that nothing does."""
        from datetime import date

        from rag_engine.query_optimizer import (
            Clarification,
            Constraints,
            Decomposition,
            Examples,
            Gate,
            Learning,
            Optimizer,
            Simplification,
        )
        from rag_engine.types.optimization import StrategyName

        settings = self.settings.query_optimizer
        if not settings.enabled:
            return None
        strategies: list[QueryStrategy] = [
            Clarification(self._repaired),
            Simplification(),
            Constraints(),
            Decomposition(),
        ]
        if settings.synonyms:
            from rag_engine.embedding.near_words import NearWords
            from rag_engine.query_optimizer import Synonyms

            strategies.append(Synonyms(NearWords(self.embedder, cache=self._cache)))
        strategies.append(Examples(lambda words, most: self.ledger.questions_with(words, most=most)))
        return Optimizer(
            facts=self.index.catalog.facts,
            strategies=strategies,
            gate=Gate(Learning(self.ledger.gains)),
            enabled=tuple(StrategyName) if settings.strategies is None else settings.strategies,
            rewriter=None,  # no provider that writes: HyDE, step-back and multi-query have nobody to ask
            today=date.today,
        )

    def _repaired(self, question: str) -> Repair:
        """A question repaired by the index's words. What the model knows as a word is none that is misspelt."""
        from rag_engine.query_optimizer import repair

        with self.index.view(dense=False, lexical=True) as view:
            return repair(question, view.vocabulary, is_genuine=lambda word: word in self._words_of_the_model)

    @cached_property
    def _words_of_the_model(self) -> frozenset[str]:
        return frozenset(self.index_embedder.tokenizer.vocabulary())

    @cached_property
    def retriever(self) -> OptimizedRetriever:
        """Searches as the optimiser plans, or as they are asked for where there is none."""
        return self._optimized(self.hybrid_retriever, self.settings)

    def _optimized(self, retriever: HybridRetriever, settings: Settings) -> OptimizedRetriever:
        from rag_engine.context_retrieval import OptimizedRetriever
        from rag_engine.semantic_chunking import split_sentences

        optimizer = self.optimizer if settings.query_optimizer.enabled else None
        return OptimizedRetriever(
            retriever=retriever,
            optimizer=optimizer,
            admits=self.index.catalog.facts.admits,
            split_sentences=split_sentences,
        )

    @cached_property
    def hybrid_retriever(self) -> HybridRetriever:
        """Both legs, fused as a gold set said, where one was asked."""
        return self._hybrid_with(self._tuned_offset())

    def _tuned_offset(self) -> float:
        from rag_engine.jobs.tuning_file import tuned_offset

        return tuned_offset(self.index.folder, catalog=self.index.catalog)

    def forget_tuning(self) -> None:
        """Has the next search read the index's tuning anew."""
        for part in ("hybrid_retriever", "retriever", "ask_job"):
            vars(self).pop(part, None)

    def tune_job(self, progress: ReportQuestions) -> TuneJob:
        """A new tuning."""
        from rag_engine.jobs.tune import TuneJob

        return TuneJob(
            catalog=self.index.catalog,
            embedder=self.index_embedder,
            retriever_with=self._hybrid_with,
            progress=progress,
        )

    def _hybrid_with(self, offset: float, settings: Settings | None = None) -> HybridRetriever:
        from rag_engine.context_retrieval import HybridRetriever, PassageOrder

        settings = self.settings if settings is None else settings
        return HybridRetriever(
            index=self.index,
            embedder=self.index_embedder,
            depth=settings.retrieval.depth,
            dense_weight=settings.retrieval.dense_weight,
            dense_weight_offset=offset,
            stretch_share=settings.retrieval.stretch_share,
            feedback=settings.retrieval.feedback,
            neighbour_weight=settings.retrieval.neighbour_weight,
            passage_tokens=settings.retrieval.passage_tokens,
            link_near_duplicates=settings.ingestion.near_duplicates == "link",
            order=PassageOrder(
                reranker=self._reranker,
                rerank_depth=settings.retrieval.rerank_depth,
                rerank_weight=settings.retrieval.rerank_weight,
                diversity=settings.retrieval.diversity,
            ),
        )

    @cached_property
    def _reranker(self) -> Reranker | None:
        """The cross-encoder of the settings, found as the embedding model is; its weights are read at the first
        question."""
        from rag_engine.context_retrieval import CrossEncoderReranker

        name = self.settings.retrieval.reranker
        if not name:
            return None
        try:
            files = find_model(name, digests=WeightDigests(self._cache / "weights.json"))
        except EmbeddingError as error:
            raise RerankingError(f"the reranker cannot be had: {error.message}") from error
        return CrossEncoderReranker(name=name, folder=files.folder)

    @cached_property
    def ask_job(self) -> AskJob:
        """The way of a question."""
        from rag_engine.jobs.calibration_file import read_calibration
        from rag_engine.jobs.multi_llm_orchestrator import AskJob

        settings, catalog = self.settings.answering, self.index.catalog
        calibration = read_calibration(
            self.index.folder, origin=self.calibration_origin(), abstain_below=settings.abstain_below
        )
        return AskJob(
            retriever=self.retriever,
            builder=self._prompt_builder(self.settings),
            # With a calibration the job says what is withheld: the model does not know the threshold's scale.
            model=self._written_model or self._extractive(settings.abstain_below if calibration is None else 0.0),
            text_of=catalog.text,
            page_of=catalog.page,
            passages=settings.passages,
            least_share=settings.least_share,
            calibration=calibration,
        )

    def _prompt_builder(self, settings: Settings) -> PromptBuilder:
        from rag_engine.prompt_engineering import PromptBuilder

        return PromptBuilder(tokenizer=self.index_embedder.tokenizer, context_tokens=settings.answering.context_tokens)

    @cached_property
    def _written_model(self) -> LanguageModel | None:
        """The provider's model or the route of the settings; None where answers are the sources' own sentences."""
        settings = self.settings.llm
        if settings.model == "extractive" and not settings.fallbacks:
            return None
        if settings.fallbacks or settings.model.startswith("route/"):
            return self.route()
        from rag_engine.error_handler import RetryPolicy
        from rag_engine.llm import open_model

        return open_model(
            settings.model,
            base_url=settings.base_url,
            api_version=settings.api_version,
            key=_key(settings),
            key_file=settings.key_file,
            limits=_wire_limits(settings),
            policy=RetryPolicy(attempts=settings.attempts),
            catalog=_model_catalog(settings),
            ledger=self.usage_ledger,
            max_output_tokens=settings.max_output_tokens,
        )

    def route(self, name: str | None = None) -> RoutedModel:
        """A route by its name; without one, that which answers by the settings.

        Raises:
            UsageError: there is no such route, or no model answers.
        """
        routes, answering = self._routes
        if name is None and not answering:
            raise UsageError(
                "answers are the sources' own sentences: no model is asked", hint="set llm.model, or name a --route"
            )
        name = answering if name is None else name.removeprefix("route/")
        if name not in routes:
            known = ", ".join(routes) or "none; llm.routes_file names a file with them"
            raise UsageError(f"there is no route {name!r}", hint=f"routes: {known}")
        return routes[name]

    @property
    def routes(self) -> Routes:
        """All routes that the settings and their file say."""
        return self._routes[0]

    @cached_property
    def _routes(self) -> tuple[Routes, str]:
        """The routes, and the name of the one that answers."""
        from rag_engine.llm.routes import configured_table, open_route_table

        settings = self.settings.llm
        table, answering = configured_table(
            model=settings.model,
            fallbacks=settings.fallbacks,
            routes_file=settings.routes_file,
            base_url=settings.base_url,
            api_version=settings.api_version,
            key=_key(settings),
            key_file=settings.key_file,
            attempts=settings.attempts,
        )
        routes = open_route_table(
            table,
            limits=_wire_limits(settings),
            catalog=_model_catalog(settings),
            ledger=self.usage_ledger,
            health=self.routing_ledger,
            selector_for=lambda entry: self._selector if entry.strategy == "learned" else None,
            max_output_tokens=settings.max_output_tokens,
        )
        return routes, answering

    @cached_property
    def routing_ledger(self) -> RoutingLedger:
        """How deployments do, and how good models' answers were."""
        from rag_engine.ledger import ROUTING_FILE_NAME, RoutingLedger

        return RoutingLedger(self.index.folder / ROUTING_FILE_NAME)

    @cached_property
    def _selector(self) -> ModelSelector | None:
        """What tells from earlier answers how good a model's will be."""
        from rag_engine.llm.model_selector import LearnedSelector

        selector = LearnedSelector(outcomes=self.routing_ledger, embedder=self.index_embedder)
        try:
            selector.refit()  # a process that asks one question only has no later look
        except RagEngineError as error:
            import logging

            logging.getLogger(__name__).warning("nothing is learnt of models' answers: %s", error.message)
        return selector

    @cached_property
    def probes(self) -> ActiveProbes | None:
        """Probes of the deployments of the route that answers; None where none is to be probed."""
        settings = self.settings.llm
        if settings.routes_file is None or not (settings.fallbacks or settings.model.startswith("route/")):
            return None
        routes, answering = self._routes
        return routes.probes(answering)

    def standings_job(self) -> StandingsJob:
        """A new look at how the deployments do."""
        from rag_engine.jobs.standings import StandingsJob

        return StandingsJob(routes=self.routes, ledger=self.routing_ledger)

    async def aclose(self) -> None:
        """Ends what runs on this loop: probes and connections to models."""
        if "probes" in vars(self) and self.probes is not None:
            await self.probes.stop()
        if "_routes" in vars(self):
            await self.routes.aclose()
        close = getattr(vars(self).get("_written_model"), "aclose", None)
        if close is not None:
            await close()

    def _extractive(self, abstain_below: float) -> ExtractiveModel:
        from rag_engine.llm import ExtractiveModel
        from rag_engine.semantic_chunking import split_sentences

        return ExtractiveModel(
            embedder=self.index_embedder, split_sentences=split_sentences, abstain_below=abstain_below
        )

    def calibration_origin(self) -> MadeWith | None:
        """What decides a raw confidence with the present settings; None before the first ingest."""
        from rag_engine import __version__
        from rag_engine.jobs.calibration_file import made_with

        answering = self.settings.answering.model_dump(exclude={"abstain_below"})
        retrieval = self.settings.retrieval.model_dump(exclude={"k"})
        return made_with(
            self.index.catalog,
            engine=__version__,
            model="extractive",
            settings={"answering": answering, "retrieval": retrieval},
        )

    def forget_calibration(self) -> None:
        """Has the next question read the index's calibration anew."""
        self.__dict__.pop("ask_job", None)

    def calibrate_job(self, progress: ReportQuestions) -> CalibrateJob:
        """A new calibration."""
        from rag_engine.jobs.calibrate import CalibrateJob
        from rag_engine.semantic_chunking import split_sentences

        settings = self.settings.answering
        return CalibrateJob(
            index=self.index.folder.name,
            catalog=self.index.catalog,
            retriever=self.retriever,
            builder=self._prompt_builder(self.settings),
            model=self._extractive(0.0),
            embedder=self.index_embedder,
            split_sentences=split_sentences,
            mode=self.settings.retrieval.mode,
            passages=settings.passages,
            least_share=settings.least_share,
            progress=progress,
        )

    def gold_making_job(self) -> GoldMakingJob:
        """A new gold set of the index's own."""
        from rag_engine.jobs.gold_making import GoldMakingJob
        from rag_engine.semantic_chunking import split_sentences

        return GoldMakingJob(index=self.index.folder.name, catalog=self.index.catalog, split_sentences=split_sentences)

    def explain_job(self) -> ExplainJob:
        """A new explanation."""
        from rag_engine.jobs.explain import ExplainJob

        return ExplainJob(index=self.index, make=self._asking_parts)

    def _asking_parts(self, changes: Mapping[str, JsonValue]) -> AskingParts:
        """What searches and answers are made of where settings, by their full names, are others than the present."""
        from rag_engine.jobs.explain_trial import AskingParts

        settings = self.settings
        for name, value in changes.items():
            section, _, key = name.partition(".")
            changed = getattr(settings, section).model_copy(update={key: value})
            settings = settings.model_copy(update={section: changed})
        hybrid = self._hybrid_with(self._tuned_offset(), settings) if changes else self.hybrid_retriever
        return AskingParts(
            retriever=self._optimized(hybrid, settings),
            hybrid=hybrid,
            builder=self._prompt_builder(settings),
            depth=settings.retrieval.depth,
            feedback=settings.retrieval.feedback,
            link_near_duplicates=settings.ingestion.near_duplicates == "link",
            passages=settings.answering.passages,
            least_share=settings.answering.least_share,
            context_tokens=settings.answering.context_tokens,
        )

    def ingest_job(self, progress: ReportProgress, *, strict: bool = False) -> IngestJob:
        """A new ingest; with ``strict``, one that refuses what would be cut."""
        from rag_engine.ingestion import loader_versions
        from rag_engine.jobs.ingest import IngestJob

        settings = self.settings.ingestion
        return IngestJob(
            index=self.index,
            chunker=self.chunker,
            embedder=self.embedder,
            make_sandbox=self._make_sandbox,
            loader_versions=loader_versions(),
            batch_chunks=settings.batch_chunks,
            workers=settings.workers or max(1, usable_cores() - 1),
            strict=strict,
            include=settings.include,
            exclude=settings.exclude,
            near_duplicates=settings.near_duplicates,
            near_duplicate_threshold=settings.near_duplicate_threshold,
            wait_seconds=self.settings.index.wait_seconds,
            progress=progress,
        )

    def estimate_job(self) -> EstimateJob:
        """A new estimate of an ingest."""
        from rag_engine.ingestion import loader_versions
        from rag_engine.jobs.estimate import EstimateJob

        return EstimateJob(
            catalog=self.index.catalog,
            chunker=self.chunker,
            embedder=self.embedder,
            make_sandbox=self._make_sandbox,
            loader_versions=loader_versions(),
            cores=usable_cores(),
            include=self.settings.ingestion.include,
            exclude=self.settings.ingestion.exclude,
        )

    def _make_sandbox(self) -> Sandbox:
        from rag_engine.ingestion import Sandbox
        from rag_engine.types.ingestion import LoadLimits

        settings = self.settings.ingestion
        return Sandbox(
            timeout_seconds=settings.timeout_seconds,
            memory_megabytes=settings.memory_megabytes,
            max_file_bytes=settings.max_file_bytes,
            limits=LoadLimits(
                max_characters=settings.max_document_characters,
                passwords=tuple(password.get_secret_value() for password in settings.passwords),
                max_depth=settings.archive_depth,
                max_members=settings.archive_members,
                max_unpacked_bytes=settings.archive_bytes,
            ),
        )

    def _protections(self) -> tuple[str, ...]:
        """What confines parsers on this system: one is started to tell, and ended."""
        with self._make_sandbox() as sandbox:
            try:
                return sandbox.protections()
            except (ParserFailureError, OSError):  # the rest of a status is worth having without
                return ()

    def evaluate_job(self, ask: AskQuestion, progress: ReportQuestions) -> EvaluateJob:
        """A new evaluation."""
        from rag_engine.jobs.evaluate import EvaluateJob

        return EvaluateJob(
            catalog=self.index.catalog,
            retriever=self.retriever,
            embedder=self.index_embedder,
            ask=ask,
            progress=progress,
        )

    def answers_heard(self, ask: AskQuestion) -> AnswersHeard:
        """What asks, and remembers who answered."""
        from rag_engine.jobs.model_outcomes import AnswersHeard

        return AnswersHeard(ask)

    def keep_outcomes(
        self, heard: AnswersHeard, gold: GoldSet, scores: Mapping[str, Mapping[str, float]]
    ) -> dict[str, int]:
        """Keeps how good the answers of language models were; how many of each. None where none is configured."""
        if self._written_model is None:
            return {}
        outcomes = heard.outcomes(gold, scores)
        self.routing_ledger.record_outcomes(outcomes)
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.model] = counts.get(outcome.model, 0) + 1
        return counts

    def learn_job(self, progress: ReportQuestions) -> LearnJob:
        """A new job that learns what the strategies do.

        Raises:
            UsageError: there is no optimiser by the settings.
        """
        from rag_engine.jobs.learn import LearnJob

        if self.optimizer is None:
            raise UsageError("nothing can be learnt: the optimiser is off", hint="leave out --no-optimize")
        return LearnJob(plain=self.hybrid_retriever, optimized=self.retriever, ledger=self.ledger, progress=progress)

    def health_job(self) -> HealthJob:
        """A new examination of the index."""
        from rag_engine.embedding import embedding_path
        from rag_engine.jobs.calibration_file import calibration_state
        from rag_engine.jobs.health import HealthJob

        return HealthJob(
            calibration=lambda: calibration_state(self.index.folder, origin=self.calibration_origin()),
            index=self.index,
            make_embedder=lambda: self.embedder,
            protections=self._protections,
            embedding_path=lambda: embedding_path(
                self._model_files, runtime=self.settings.embedding.runtime, cache=self._cache
            ),
        )


def _key(settings: LlmSettings) -> Secret | None:
    from rag_engine.types.secret import Secret

    return None if settings.key is None else Secret(settings.key.get_secret_value())


def _wire_limits(settings: LlmSettings) -> WireLimits:
    from rag_engine.llm.transport import WireLimits

    return WireLimits(
        deadline=settings.deadline_seconds,
        connect=settings.connect_seconds,
        first_byte=settings.first_byte_seconds,
        idle=settings.idle_seconds,
        minimum_rate=settings.minimum_bytes_per_second,
        max_bytes=settings.max_response_bytes,
    )


def _model_catalog(settings: LlmSettings) -> ModelCatalog:
    from rag_engine.llm.model_catalog import ModelCatalog

    return ModelCatalog(None if settings.models_file is None else Path(settings.models_file).expanduser())
