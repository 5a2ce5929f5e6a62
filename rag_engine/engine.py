"""The engine: ingest, ask and evaluate over one index; each verb is a job of its own."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag_engine import tracing
from rag_engine.assembly import Assembly
from rag_engine.context_retrieval import parse_filter, parse_mode
from rag_engine.error_handler import ErrorContext, default_aggregator
from rag_engine.errors import (
    CalibrationError,
    CatalogDamagedError,
    GoldSetError,
    IndexNotFoundError,
    RagEngineError,
    UsageError,
)
from rag_engine.index import CATALOG_NAME
from rag_engine.types.retrieval import Filter, Query, SearchMode

if TYPE_CHECKING:
    from types import TracebackType

    from rag_engine.config import Settings
    from rag_engine.error_handler import ComponentHealth
    from rag_engine.evaluation import EvaluationReport
    from rag_engine.evaluation.calibration_report import CalibrationReport
    from rag_engine.jobs.tune import TuningReport
    from rag_engine.prompt_engineering import Verification
    from rag_engine.types.calls import UsageTotal
    from rag_engine.types.document import Document
    from rag_engine.types.evaluation import MadeGoldSet
    from rag_engine.types.explanation import Explanation
    from rag_engine.types.generation import Answer, AnswerEvent, Requirements
    from rag_engine.types.health import Finding, IndexStatus
    from rag_engine.types.ingestion import IngestEstimate, IngestProgress, IngestReport
    from rag_engine.types.optimization import QueryExperience, SearchOutcome
    from rag_engine.types.retrieval import Passage
    from rag_engine.types.routing import DeploymentStanding, RouteDecision

_Result = TypeVar("_Result")
FilterForm = str | Mapping[str, Any] | Filter


class Engine:
    """One index and what can be done with it. A context manager; safe to use from several threads."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @classmethod
    def open(cls, folder: str | Path, *, settings: Settings | None = None, create: bool = True) -> Engine:
        """The engine over the index in ``folder``, made when absent unless ``create`` is False.

        Without ``settings``, rag.toml in the working folder and the environment say them.

        Raises:
            IndexNotFoundError, CatalogDamagedError, NewerFormatError, IndexReadOnlyError, ConfigurationError.
        """
        if settings is None:
            from rag_engine.config import load_settings

            settings = load_settings()
        return cls(Assembly(Path(folder), settings=settings, create=create))

    def close(self) -> None:
        """Closes the index."""
        self._assembly.close()

    async def aclose(self) -> None:
        """Ends what ``aask`` left running on this loop, probes and connections, and closes the index."""
        try:
            await self._assembly.aclose()
        finally:
            self.close()

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ingest(
        self,
        sources: str | Path | Document | Iterable[str | Path | Document],
        *,
        retry: bool = False,
        strict: bool = False,
        progress: Callable[[IngestProgress], None] = lambda _: None,
    ) -> IngestReport:
        """Brings the index to what paths (files, folders, globs) hold, or adds and updates Documents.

        What cannot be read is listed in the report and set aside; the rest goes on. With ``strict``, so is a document
        of which anything would be left out.

        Raises:
            SourceNotFoundError: a path does not exist; nothing has been done then.
            IndexLockedError, IndexReadOnlyError, StorageFullError, ModelMismatchError: see these.
        """
        with self._operation("ingest"):
            return self._ingest(sources, retry=retry, strict=strict, progress=progress)

    @contextlib.contextmanager
    def _operation(self, component: str) -> Iterator[None]:
        """Keeps the operation's trace, and notes how it ended."""
        with ErrorContext(component), tracing.kept_by(self._assembly.traces):
            yield

    @staticmethod
    def health() -> tuple[ComponentHealth, ...]:
        """How ingest, search, ask and each language model did in this process in the last five minutes: calls, errors,
        their share, the last error, and whether they can be relied on."""
        return default_aggregator().healths()

    def _ingest(
        self,
        sources: str | Path | Document | Iterable[str | Path | Document],
        *,
        retry: bool,
        strict: bool,
        progress: Callable[[IngestProgress], None],
    ) -> IngestReport:
        from rag_engine.types.document import Document

        given = [sources] if isinstance(sources, (str, Path, Document)) else list(sources)
        documents = [source for source in given if isinstance(source, Document)]
        job = self._assembly.ingest_job(progress, strict=strict)
        if not documents:
            return job.ingest_paths([source for source in given if not isinstance(source, Document)], retry=retry)
        if len(documents) != len(given):
            raise UsageError("paths and Documents came in one call", hint="ingest them in two calls")
        return job.ingest_documents(documents)

    def re_embed(
        self, *, strict: bool = False, progress: Callable[[IngestProgress], None] = lambda _: None
    ) -> IngestReport:
        """Chunks and embeds every stored document anew with the present settings, in one transaction.

        Raises:
            TruncatedError: with ``strict``, where anything was or would be left out; all stays as it was.
        """
        with self._operation("ingest"):
            return self._assembly.ingest_job(progress, strict=strict).re_embed()

    def watch(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        strict: bool = False,
        done: Callable[[IngestReport], None] = lambda _: None,
        failed: Callable[[RagEngineError], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> None:
        """Ingests paths, and again what is affected whenever something there has changed and settled.

        ``done`` is told of each ingest, ``failed`` of each that failed; watching goes on. It ends when ``stop`` is set,
        or by KeyboardInterrupt.

        Raises:
            SourceNotFoundError: a path does not exist.
        """
        from rag_engine.jobs.watch import WatchJob

        given = [paths] if isinstance(paths, (str, Path)) else list(paths)
        WatchJob(
            ingest=lambda asked: self.ingest(asked, strict=strict),
            settle_seconds=self._assembly.settings.ingestion.watch_seconds,
            passed_over=self._assembly.index.folder,
            done=done,
            failed=failed,
            stop=stop or threading.Event(),
        ).watch(given)

    def estimate(self, paths: str | Path | Iterable[str | Path], *, retry: bool = False) -> IngestEstimate:
        """What ``ingest`` of these paths would take, told from a sample of the files; writes nothing.

        Raises:
            SourceNotFoundError: a path does not exist.
        """
        given = [paths] if isinstance(paths, (str, Path)) else list(paths)
        return self._assembly.estimate_job().estimate(given, retry=retry)

    def search(
        self,
        question: str,
        *,
        k: int | None = None,
        mode: SearchMode | str | None = None,
        filter: FilterForm | None = None,  # noqa: A002 - the word users expect
    ) -> list[Passage]:
        """The ``k`` best passages, best first.

        Raises:
            InvalidQueryError, InvalidFilterError: the question, k or filter is unfit.
            ModelMismatchError: the settings' model is not the index's.
        """
        return list(self.look_up(question, k=k, mode=mode, filter=filter).passages)

    def look_up(
        self,
        question: str,
        *,
        k: int | None = None,
        mode: SearchMode | str | None = None,
        filter: FilterForm | None = None,  # noqa: A002
    ) -> SearchOutcome:
        """As ``search``, with the plan by which the question was searched for, and notes on the search.

        Raises:
            InvalidQueryError, InvalidFilterError, ModelMismatchError: as ``search``.
        """
        with self._operation("search"):
            return self._assembly.retriever.search(self._query(question, k, mode, filter))

    def _query(
        self, question: str, k: int | None, mode: SearchMode | str | None, condition: FilterForm | None
    ) -> Query:
        defaults = self._assembly.settings.retrieval
        return Query(
            text=question,
            k=defaults.k if k is None else k,
            mode=_mode(mode, defaults.mode),
            filter=_parsed(condition),
        )

    def record(self, experience: QueryExperience) -> None:
        """Remembers how a strategy of the optimiser did on one question, for those to come.

        From the next opening of the index on it is counted. Where it cannot be kept, nothing is.
        """
        self._assembly.ledger.record([experience])

    def explain(
        self,
        question: str,
        *,
        expect: str,
        k: int | None = None,
        mode: SearchMode | str | None = None,
        filter: FilterForm | None = None,  # noqa: A002
    ) -> Explanation:
        """Why the document of id ``expect`` is or is not found and read for a question: where it stands in each stage,
        what cuts it, and single changes that admit it, each of them tried.

        Raises:
            UnknownDocumentError: the index holds no such document.
            InvalidQueryError, InvalidFilterError, ModelMismatchError: see these.
        """
        return self._assembly.explain_job().explain(self._query(question, k, mode, filter), expect=expect)

    def ask(
        self,
        question: str,
        *,
        mode: SearchMode | str | None = None,
        filter: FilterForm | None = None,  # noqa: A002
        on_event: Callable[[AnswerEvent], None] = lambda _: None,
    ) -> Answer:
        """An answer whose every citation equals the stored characters, or an honest abstention.

        ``on_event`` is told each stage that ended, each proven citation and each piece of the text, when it is there.

        Raises:
            InvalidQueryError, InvalidFilterError, ModelMismatchError, CitationError: see these.
        """
        return _run(self._ask(question, mode=mode, filter=filter, on_event=on_event))

    async def aask(
        self,
        question: str,
        *,
        mode: SearchMode | str | None = None,
        filter: FilterForm | None = None,  # noqa: A002
        on_event: Callable[[AnswerEvent], None] = lambda _: None,
    ) -> Answer:
        """``ask`` for callers within an event loop. The first one also begins the probes that a routes file asks for;
        they run on this loop until ``aclose``."""
        probes = self._assembly.probes
        if probes is not None and not probes.running:
            probes.start()
        return await self._ask(question, mode=mode, filter=filter, on_event=on_event)

    async def _ask(
        self,
        question: str,
        *,
        mode: SearchMode | str | None,
        filter: FilterForm | None,  # noqa: A002
        on_event: Callable[[AnswerEvent], None],
    ) -> Answer:
        chosen = _mode(mode, self._assembly.settings.retrieval.mode)
        with self._operation("ask"):
            return await self._assembly.ask_job.ask(question, mode=chosen, condition=_parsed(filter), on_event=on_event)

    def route(
        self,
        question: str,
        *,
        route: str | None = None,
        requires: Requirements | None = None,
        mode: SearchMode | str | None = None,
        filter: FilterForm | None = None,  # noqa: A002
    ) -> RouteDecision:
        """Which model would answer a question, and why each other one would not; none is asked.

        ``route`` is the name of one of the routes file, without it the one that answers by the settings.

        Raises:
            UsageError: there is no such route, or answers are the sources' own sentences.
            InvalidQueryError, InvalidFilterError, ModelMismatchError, ConfigurationError: see these.
        """
        chosen = _mode(mode, self._assembly.settings.retrieval.mode)
        asked = self._assembly.route(route)
        prompt = self._assembly.ask_job.prompt_for(question, mode=chosen, condition=_parsed(filter))
        return asked.decide(prompt if requires is None else replace(prompt, requires=requires))

    def standings(self, *, probe: bool = False) -> list[DeploymentStanding]:
        """How each deployment of the configured routes does, as all processes on this index know it. With ``probe``
        each is asked for one token first, which costs what that costs.

        Raises:
            ConfigurationError: the routes file does not fit.
        """
        return _run(self._assembly.standings_job().standings(probed=probe))

    def usage(self, *, by: str = "day", last: int = 30) -> list[UsageTotal]:
        """What calls of language models cost for questions of this index, by ``day`` (UTC), ``model`` or ``call``, the
        latest first.

        Raises:
            UsageError: it is not summed by that.
            StorageError: the ledger cannot be read.
        """
        return self._assembly.usage_ledger.totals(by, last=last)

    def evaluate(
        self,
        gold: str | Path,
        *,
        mode: SearchMode | str | None = None,
        answers: bool | None = None,
        baseline: str | Path | None = None,
        learn: bool = False,
        ingest_progress: Callable[[IngestProgress], None] = lambda _: None,
        progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
    ) -> EvaluationReport:
        """Scores this index on a gold set in BEIR or span form.

        An empty index takes in the gold set's own corpus first; one with documents must hold those that
        the gold set names. ``answers`` says whether every question is asked, besides being searched for; by
        default it is where the gold set has answers. ``baseline`` is a TREC run file or the report's ``to_json`` in a
        file, to compare with: see ``significance`` of the report. With ``learn``, what each strategy of the optimiser
        gains is measured after that and remembered in the index's ledger; and where a language model writes the
        answers, how good each of them was.

        Raises:
            GoldSetError: the gold set cannot be read, or does not fit the index; or the baseline is of another one.
        """
        from rag_engine.evaluation import read_gold_set

        gold_set = read_gold_set(Path(gold))
        if gold_set.corpus is not None:
            self._take_in(gold_set.corpus, ingest_progress)
        heard = self._assembly.answers_heard(lambda question, how: self.ask(question, mode=how))
        job = self._assembly.evaluate_job(heard, progress)
        chosen = _mode(mode, self._assembly.settings.retrieval.mode)
        learn_job = self._assembly.learn_job(progress) if learn else None
        report = job.evaluate(
            gold_set, mode=chosen, answers=answers, baseline=None if baseline is None else Path(baseline)
        )
        if learn_job is None:
            return report
        learned = learn_job.learn(gold_set, mode=chosen)
        return replace(report, learned=learned | self._assembly.keep_outcomes(heard, gold_set, report.per_query))

    def _take_in(self, corpus: Path, progress: Callable[[IngestProgress], None]) -> None:
        catalog = self._assembly.index.catalog
        path = os.path.abspath(corpus)  # noqa: PTH100 - links are not resolved, as in discovery
        if catalog.counts().documents == 0 or catalog.sources.at(path) is not None:
            self.ingest(corpus, progress=progress)
            return
        from rag_engine.evaluation import document_ids

        held = set(catalog.document_ids())
        missing = sum(identifier not in held for identifier in document_ids(corpus))
        if missing:
            raise GoldSetError(
                f"the index {self._assembly.index.folder.name} lacks {missing} documents of {corpus}",
                hint=f"evaluate in an index of its own, or first run: rag ingest {corpus}",
            )

    def tune(
        self,
        gold: str | Path,
        *,
        progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
    ) -> TuningReport:
        """Fits the dense leg's weight to a gold set and stores what was found with the index; later searches follow it.

        Raises:
            GoldSetError: the gold set cannot be read, does not fit the index, or judges fewer than 20 questions.
            StorageError: the tuning cannot be written.
        """
        from rag_engine.evaluation import read_gold_set
        from rag_engine.jobs.tuning_file import write_tuning

        report = self._assembly.tune_job(progress).tune(read_gold_set(Path(gold)))
        write_tuning(self._assembly.index.folder, report, catalog=self._assembly.index.catalog)
        self._assembly.forget_tuning()
        return report

    def reset_tuning(self) -> bool:
        """Removes the index's tuning, so that weights are told from the scores alone again; whether there was one."""
        from rag_engine.jobs.tuning_file import remove_tuning

        removed = remove_tuning(self._assembly.index.folder)
        self._assembly.forget_tuning()
        return removed

    def calibrate(
        self,
        *,
        questions: int | None = None,
        risk: float | None = None,
        seed: int = 0,
        gold: str | Path | None = None,
        progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
    ) -> CalibrationReport:
        """Makes confidences probabilities for this index's documents, and stores how: later answers follow it.

        Up to ``questions`` (600) are made of the documents themselves, or taken from the gold set ``gold``. With
        ``risk``, a threshold is chosen from which at most this share of answers is wrong; without, the threshold stays
        ``answering.abstain_below``.

        Raises:
            CalibrationError: there are too few questions, or no threshold keeps the risk; nothing is changed then.
            GoldSetError: the gold set cannot be read, or does not fit the index.
            StorageError: the calibration cannot be written.
        """
        from rag_engine.evaluation import read_gold_set
        from rag_engine.jobs.calibrate import QUESTIONS
        from rag_engine.jobs.calibration_file import write_calibration

        gold_set = None if gold is None else read_gold_set(Path(gold))
        origin = self._assembly.calibration_origin()
        job = self._assembly.calibrate_job(progress)
        report = _run(job.calibrate(questions=questions or QUESTIONS, risk=risk, seed=seed, gold=gold_set))
        if origin is None or origin != self._assembly.calibration_origin():
            raise CalibrationError("the index was embedded anew meanwhile", hint="run the same command again")
        write_calibration(self._assembly.index.folder, report, origin=origin)
        self._assembly.forget_calibration()
        return report

    def reset_calibration(self) -> bool:
        """Removes the index's calibration, so that confidences are the model's own again; whether there was one."""
        from rag_engine.jobs.calibration_file import remove_calibration

        removed = remove_calibration(self._assembly.index.folder)
        self._assembly.forget_calibration()
        return removed

    def make_gold_set(self, folder: str | Path, *, questions: int | None = None, seed: int = 0) -> MadeGoldSet:
        """Writes a gold set in span form with questions made of the documents, for a person to correct.

        Raises:
            GoldSetError: ``folder`` holds something already.
            CalibrationError: the index is too small to make questions of.
            StorageError: the folder cannot be written.
        """
        from rag_engine.jobs.gold_making import QUESTIONS

        return self._assembly.gold_making_job().make(Path(folder), questions=questions or QUESTIONS, seed=seed)

    def verify(self, citations: Iterable[Mapping[str, Any]]) -> list[Verification]:
        """What became of citations given earlier: for each, intact, moved, changed or gone.

        A citation is a mapping with ``document``, ``start``, ``end`` and ``text``, as ``rag ask --json`` prints it.

        Raises:
            CitationError: a mapping is no citation.
        """
        from rag_engine.prompt_engineering import verify_citation

        catalog = self._assembly.index.catalog
        return [
            verify_citation(
                start=citation["start"],
                end=citation["end"],
                text=citation["text"],
                stored_text=catalog.text(citation["document"]),
            )
            for citation in citations
        ]

    def status(self) -> IndexStatus:
        """What the index holds, and what its caches reflect."""
        return self._assembly.health_job().status()


def estimate(folder: Path, paths: Iterable[str | Path], *, settings: Settings, retry: bool = False) -> IngestEstimate:
    """What an ingest into the index in ``folder`` would take; where there is none, none is made.

    Raises:
        SourceNotFoundError: a path does not exist.
    """
    try:
        with Engine.open(folder, settings=settings, create=False) as engine:
            return engine.estimate(paths, retry=retry)
    except IndexNotFoundError:
        with _without_index(settings) as engine:
            return engine.estimate(paths, retry=retry)


def decide(
    folder: Path, question: str, *, settings: Settings, route: str | None, requires: Requirements
) -> RouteDecision:
    """Which model would answer a question of the index in ``folder``; where there is none, of the question alone.

    Raises:
        UsageError, InvalidQueryError, ConfigurationError: as ``Engine.route``.
    """
    try:
        with Engine.open(folder, settings=settings, create=False) as engine:
            return engine.route(question, route=route, requires=requires)
    except IndexNotFoundError:
        from rag_engine.context_retrieval import clean_question
        from rag_engine.types.generation import Prompt

        prompt = replace(Prompt.plain(clean_question(question)), requires=requires)
        with _without_index(settings) as engine:
            return engine._assembly.route(route).decide(prompt)


def standings(folder: Path, *, settings: Settings, probe: bool = False) -> list[DeploymentStanding]:
    """How the configured deployments do; where there is no index, as this process finds them.

    Raises:
        ConfigurationError: the routes file does not fit.
    """
    try:
        with Engine.open(folder, settings=settings, create=False) as engine:
            return engine.standings(probe=probe)
    except IndexNotFoundError:
        with _without_index(settings) as engine:
            return engine.standings(probe=probe)


@contextlib.contextmanager
def _without_index(settings: Settings) -> Iterator[Engine]:
    """An engine over an index that is empty and not kept."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch, Engine.open(Path(scratch) / "none", settings=settings) as engine:
        yield engine


def examine(folder: Path, *, settings: Settings) -> list[Finding]:
    """Everything that is wrong with the index in ``folder``, also where its catalog cannot be opened."""
    try:
        with Engine.open(folder, settings=settings, create=False) as engine:
            return engine._assembly.health_job().examine()
    except CatalogDamagedError as error:
        from rag_engine.jobs.health import examine_damaged

        return examine_damaged(folder / CATALOG_NAME, error)


def notes(folder: Path, *, settings: Settings) -> list[str]:
    """What is worth knowing of the index in ``folder`` and no damage."""
    try:
        with Engine.open(folder, settings=settings, create=False) as engine:
            return engine._assembly.health_job().notes()
    except CatalogDamagedError:
        return []


def repair(folder: Path, *, settings: Settings) -> list[str]:
    """Makes caches anew; saves what can be saved of a damaged catalog. Says what was done."""
    done: list[str] = []
    if any(finding.what.startswith("the catalog") for finding in examine(folder, settings=settings)):
        from rag_engine.jobs.health import salvage

        saved, aside = salvage(folder / CATALOG_NAME)
        done.append(f"{saved} documents were saved into a new catalog; the damaged one lies at {aside}")
    with Engine.open(folder, settings=settings, create=False) as engine:
        if done:
            report = engine.re_embed()
            done.append(f"{report.chunks.total} chunks were made anew; ingest the sources again to bring back the rest")
        done += engine._assembly.health_job().repair()
    return done


def _mode(given: SearchMode | str | None, default: SearchMode) -> SearchMode:
    return default if given is None else parse_mode(given)


def _parsed(form: FilterForm | None) -> Filter | None:
    return parse_filter(form) if isinstance(form, (str, Mapping)) else form


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The one bridge from callers without an event loop; within one, the work gets a thread of its own."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    import contextvars

    outcome: list[_Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)

    # With the caller's context, so that spans are children of those that the call is made in.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="rag_engine")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
