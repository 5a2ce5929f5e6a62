"""Lexical search with tantivy: BM25 over the words of chunks and of the headings above them.

A cache of the catalog. The commit it reflects is a document of its own inside the index, so both change in one
tantivy commit; ``files.json`` beside it lists the files with their checksums, so that damage is noticed.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tantivy

from rag_engine.errors import CacheDamagedError
from rag_engine.index.files import write_text, writing
from rag_engine.protocols import LexicalEntry
from rag_engine.types.retrieval import ScoredChunk

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers

MANIFEST = "files.json"
# Raised whenever the same chunk would be indexed as other terms; an index of another form is built anew.
FORM = 2
_ANALYSER = "words"
_WRITER_BYTES = 64_000_000
_REMOVALS, _BETWEEN_REMOVALS_SECONDS = 20, 0.05
# Scripts written without spaces between words: every pair of neighbouring characters becomes a term.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
# People ask for "the diff executor" where the text says DiffExecutor: see quality/anthropic_code_chunks-lexical.
_CAMEL_CASE = re.compile(r"\b\w*[^\W\d_A-Z][A-Z]\w*")
_CAMEL_CASE_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


class TantivyIndex:
    """BM25 over chunks: English stemming and stop words, accents folded, character pairs for unspaced scripts,
    identifiers both whole and in their parts (``run_target``, ``DiffExecutor``)."""

    # Set when a search met damage: the files must be made anew, whatever their checksums say.
    damaged = False

    def __init__(self, folder: Path | None = None, *, index_id: str = "") -> None:
        """A new, empty index in ``folder``, in place of what is there; in memory without a folder.

        ``index_id`` is the name of the catalog that it is a cache of.
        """
        self._folder = folder
        self._index_id = index_id
        with _panics_as_damage(folder):
            if folder is None:
                self._index = tantivy.Index(_schema())
            else:
                with writing(folder):
                    _make_empty(folder)
                self._index = tantivy.Index(_schema(), path=str(folder))
            self._prepare()

    def _prepare(self) -> None:
        self._schema = self._index.schema
        self._analyser = _analyser()
        self._index.register_tokenizer(_ANALYSER, self._analyser)
        self.refresh()

    @classmethod
    def load(cls, folder: Path, *, index_id: str) -> TantivyIndex:
        """The index in ``folder``.

        Raises:
            CacheDamagedError: it is absent, not whole, of another form, or another index's.
        """
        _check_files(folder)
        loaded = cls.__new__(cls)
        loaded._folder = folder
        loaded._index_id = index_id
        with _panics_as_damage(folder):
            loaded._index = tantivy.Index.open(str(folder))
            loaded._prepare()
        if loaded._owner != (index_id, FORM):
            raise CacheDamagedError(f"{folder} belongs to another index or another version")
        return loaded

    def refresh(self) -> None:
        """Sees what other processes have committed."""
        with _panics_as_damage(self._folder):
            self._index.reload()
            self._searcher = self._index.searcher()
            self.commit, self._owner = self._read_marker()

    def _read_marker(self) -> tuple[int, tuple[str, int] | None]:
        query = tantivy.Query.term_query(self._schema, "kind", "marker")
        hits = self._searcher.search(query, 1).hits
        if not hits:
            return 0, None
        marker = self._searcher.doc(hits[0][1])
        return marker.get_first("commit"), (marker.get_first("index_id"), marker.get_first("form"))

    def __len__(self) -> int:
        return int(self._searcher.num_docs) - (self._owner is not None)

    def update(self, *, add: Iterable[LexicalEntry], remove: Iterable[int], commit: int) -> None:
        """Removes, then adds, then records ``commit``, in one step that other readers see whole."""
        with _panics_as_damage(self._folder), writing(self._folder or Path("memory")):
            writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
            try:
                # By query: tantivy-py's delete_documents_by_term passes over numeric fields without a word.
                if numbers := [int(number) for number in remove]:
                    writer.delete_documents_by_query(tantivy.Query.term_set_query(self._schema, "chunk", numbers))
                for entry in add:
                    writer.add_document(_entry_document(entry))
                writer.delete_documents_by_term("kind", "marker")
                writer.add_document(_marker_document(commit, self._index_id))
                writer.commit()
            finally:
                writer.wait_merging_threads()
            if self._folder is not None:
                _write_manifest(self._folder, index_id=self._index_id, commit=commit)
        self.refresh()

    def search(self, text: str, depth: int, *, among: Numbers | None = None) -> list[ScoredChunk]:
        """The ``depth`` best chunks for words as a person types them; no syntax. Ties by number.

        A word counts once however often it is repeated in ``text``.

        Raises:
            CacheDamagedError: the files changed under the search; ``damaged`` is set then.
        """
        terms = dict.fromkeys(self._analyser.analyze(spelled_out(text)))
        if not terms or depth < 1 or (among is not None and len(among) == 0):
            return []
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "body", term, index_option="freq"))
            for term in terms
        ]
        query = tantivy.Query.boolean_query(clauses)
        if among is not None:
            admitted = tantivy.Query.term_set_query(self._schema, "chunk", among.tolist())
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (tantivy.Occur.Must, tantivy.Query.const_score_query(admitted, 0.0)),
                ]
            )
        try:
            with _panics_as_damage(self._folder):
                hits = self._searcher.search(query, min(depth, max(1, len(self))), count=False).hits
                numbers = self._searcher.fast_field_values("chunk", [address for _, address in hits])
        except CacheDamagedError:
            self.damaged = True
            raise
        scored = [ScoredChunk(int(number), float(score)) for number, (score, _) in zip(numbers, hits, strict=True)]
        return sorted(scored, key=lambda hit: (-hit.score, hit.chunk))

    def frequency(self, word: str) -> int:
        """Chunks in which a search finds the word, also in other forms of it; about, while removed ones are not merged
        away. All for a word that searches pass over. Raises CacheDamagedError."""
        terms = self._analyser.analyze(spelled_out(word))
        with _panics_as_damage(self._folder):
            return max((int(self._searcher.doc_freq("body", term)) for term in terms), default=len(self))


def _make_empty(folder: Path) -> None:
    """Makes the folder anew. Raises OSError."""
    for _ in range(_REMOVALS):
        # tantivy may still merge, in threads of its own, what an index that was let go has there.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            time.sleep(_BETWEEN_REMOVALS_SECONDS)
        else:
            return
    folder.mkdir(parents=True)


def spelled_out(text: str) -> str:
    """``text`` with more words to be found by: the parts of identifiers such as ``DiffExecutor`` behind them, and
    runs of scripts without spaces as overlapping pairs of characters."""
    return _UNSPACED.sub(_pairs, _CAMEL_CASE.sub(_with_parts, text))


def _with_parts(match: re.Match[str]) -> str:
    return f"{match.group()} {' '.join(_CAMEL_CASE_PARTS.findall(match.group()))}"


def _pairs(match: re.Match[str]) -> str:
    run = match.group()
    if len(run) == 1:
        return f" {run} "
    return " " + " ".join(run[i : i + 2] for i in range(len(run) - 1)) + " "


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("body", stored=False, tokenizer_name=_ANALYSER, index_option="freq")
    builder.add_unsigned_field("chunk", stored=False, indexed=True, fast=True)
    builder.add_text_field("kind", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("commit", stored=True)
    builder.add_unsigned_field("form", stored=True)
    builder.add_text_field("index_id", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _analyser() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(64))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def _entry_document(entry: LexicalEntry) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("body", spelled_out(f"{entry.context}\n{entry.text}"))
    document.add_unsigned("chunk", entry.chunk)
    return document


def _marker_document(commit: int, index_id: str) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("kind", "marker")
    document.add_unsigned("commit", commit)
    document.add_unsigned("form", FORM)
    document.add_text("index_id", index_id)
    return document


def stands_at(commit: int, *, folder: Path, index_id: str) -> bool:
    """Whether the index in ``folder`` is whole, of this catalog, and reflects the commit. Does not open it."""
    try:
        manifest = _check_files(folder)
    except CacheDamagedError:
        return False
    return (manifest.get("index_id"), manifest.get("commit")) == (index_id, commit)


def _write_manifest(folder: Path, *, index_id: str, commit: int) -> None:
    files = {}
    for file in sorted(folder.iterdir()):
        if file.name != MANIFEST and not file.name.startswith("."):
            with contextlib.suppress(FileNotFoundError):  # merged away meanwhile
                status = file.stat()
                files[file.name] = [status.st_size, status.st_mtime_ns, zlib.crc32(file.read_bytes())]
    write_text(folder / MANIFEST, json.dumps({"index_id": index_id, "commit": commit, "files": files}))


def _check_files(folder: Path) -> dict[str, Any]:
    """The manifest. Raises CacheDamagedError where a file is not as it says; an untouched file is not read again."""
    if not (folder / MANIFEST).exists():
        raise CacheDamagedError(f"{folder} is absent or was not finished")
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        segments = {segment["segment_id"].replace("-", "") for segment in meta["segments"]}
        listed = {name: entry for name, entry in manifest["files"].items() if name.split(".")[0] in segments}
        if segments != {name.split(".")[0] for name in listed}:
            raise CacheDamagedError(f"{folder} holds segments that its manifest does not list")
        for name, (size, modified, checksum) in listed.items():
            file = folder / name
            status = file.stat()
            if status.st_size != size or (status.st_mtime_ns != modified and zlib.crc32(file.read_bytes()) != checksum):
                raise CacheDamagedError(f"{file} is damaged: it is not what the index wrote")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CacheDamagedError(f"{folder} cannot be read: {error}") from error
    return manifest


@contextlib.contextmanager
def _panics_as_damage(folder: Path | None) -> Iterator[None]:
    """tantivy meets unexpected bytes with ValueError or a panic of its Rust code, which is a bare BaseException."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, OSError):
        raise
    except ValueError as error:
        raise CacheDamagedError(f"the lexical index {folder} failed: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise CacheDamagedError(f"the lexical index {folder} failed: {error}") from error
