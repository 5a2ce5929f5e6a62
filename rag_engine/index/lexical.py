"""Lexical search with tantivy: BM25 over the words of chunks and of the headings above them.

A cache of the catalog. The commit it reflects is a document of its own inside the index, so both change in one
tantivy commit; ``files.json`` beside it lists the files with their checksums, so that damage is noticed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import tantivy

from rag_engine.errors import CacheDamagedError
from rag_engine.index.files import writing
from rag_engine.index.lexical_analysis import (
    BODY,
    PARTS,
    AskedTerm,
    IndexedTerms,
    analyser,
    asked_terms,
    in_english,
    spelled_out,
)
from rag_engine.index.lexical_files import check_files, make_empty, write_manifest
from rag_engine.index.lexical_languages import LANGUAGES
from rag_engine.protocols import LexicalEntry
from rag_engine.types.retrieval import ScoredChunk

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers

# Raised whenever the same chunk would be indexed as other terms; an index of another form is built anew.
FORM = 3
_ANALYSER = "words"
_WRITER_BYTES = 64_000_000
_LONGER_WORDS = 8  # that a word unknown to the index may be the beginning of


class TantivyIndex:
    """BM25 over chunks: words as their stems in the chunk's language, accents folded, character pairs for unspaced
    scripts, identifiers both whole and in their parts (``run_target``, ``DiffExecutor``)."""

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
                    make_empty(folder)
                self._index = tantivy.Index(_schema(), path=str(folder))
            self._prepare()

    def _prepare(self) -> None:
        self._schema = self._index.schema
        self._index.register_tokenizer(_ANALYSER, analyser())
        self.refresh()

    @classmethod
    def load(cls, folder: Path, *, index_id: str) -> TantivyIndex:
        """The index in ``folder``.

        Raises:
            CacheDamagedError: it is absent, not whole, of another form, or another index's.
        """
        check_files(folder)
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
            self._terms = self._indexed_terms()

    def _read_marker(self) -> tuple[int, tuple[str, int] | None]:
        query = tantivy.Query.term_query(self._schema, "kind", "marker")
        hits = self._searcher.search(query, 1).hits
        if not hits:
            return 0, None
        marker = self._searcher.doc(hits[0][1])
        return marker.get_first("commit"), (marker.get_first("index_id"), marker.get_first("form"))

    def _indexed_terms(self) -> IndexedTerms:
        frequency, beginning_with = self._searcher.doc_freq, self._searcher.terms_with_prefix
        chunks = max(1, len(self))
        return IndexedTerms(
            languages={name: count / chunks for name in LANGUAGES if (count := frequency("kind", name))},
            frequency=frequency,
            beginning_with=lambda term: [longer for longer, _ in beginning_with(BODY, term, limit=_LONGER_WORDS)],
        )

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
                write_manifest(self._folder, index_id=self._index_id, commit=commit)
        self.refresh()

    def terms(self, text: str) -> list[str]:
        """What a search for ``text`` looks for: its words as they are indexed, each once."""
        with self._damage_noted():
            return list(dict.fromkeys(asked.term for asked in self._asked(text, ())))

    def search(
        self,
        text: str,
        depth: int,
        *,
        among: Numbers | None = None,
        additions: Sequence[tuple[str, float]] = (),
    ) -> list[ScoredChunk]:
        """The ``depth`` best chunks for words as a person types them; no syntax. Ties by number.

        A word counts once however often it is repeated in ``text``. ``additions`` are words to look for besides, each
        with what it counts where the text's own count 1.

        Raises:
            CacheDamagedError: the files changed under the search; ``damaged`` is set then.
        """
        if depth < 1 or (among is not None and len(among) == 0):
            return []
        with self._damage_noted():
            terms = self._asked(text, additions)
        if not terms:
            return []
        clauses = [(tantivy.Occur.Should, self._term_query(term)) for term in terms]
        query = tantivy.Query.boolean_query(clauses)
        if among is not None:
            admitted = tantivy.Query.term_set_query(self._schema, "chunk", among.tolist())
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (tantivy.Occur.Must, tantivy.Query.const_score_query(admitted, 0.0)),
                ]
            )
        with self._damage_noted():
            hits = self._searcher.search(query, min(depth, max(1, len(self))), count=False).hits
            numbers = self._searcher.fast_field_values("chunk", [address for _, address in hits])
        scored = [ScoredChunk(int(number), float(score)) for number, (score, _) in zip(numbers, hits, strict=True)]
        return sorted(scored, key=lambda hit: (-hit.score, hit.chunk))

    def _asked(self, text: str, additions: Sequence[tuple[str, float]]) -> list[AskedTerm]:
        terms = {(asked.field, asked.term): asked for asked in asked_terms(text, self._terms)}
        for words, weight in additions:
            for asked in asked_terms(words, self._terms):
                terms.setdefault((asked.field, asked.term), replace(asked, weight=asked.weight * weight))
        return list(terms.values())

    def in_english(self, text: str) -> bool:
        """False where a question is told to be in another language of the index, or in letters that are not Latin."""
        return in_english(text, self._terms)

    @contextlib.contextmanager
    def _damage_noted(self) -> Iterator[None]:
        try:
            with _panics_as_damage(self._folder):
                yield
        except CacheDamagedError:
            self.damaged = True
            raise

    def _term_query(self, asked: AskedTerm) -> tantivy.Query:
        query = tantivy.Query.term_query(self._schema, asked.field, asked.term, index_option="freq")
        return query if asked.weight == 1.0 else tantivy.Query.boost_query(query, asked.weight)

    def frequency(self, word: str) -> int:
        """Chunks in which a search finds the word, also in other forms of it; about, while removed ones are not merged
        away. All for a word that searches pass over. Raises CacheDamagedError."""
        with _panics_as_damage(self._folder):
            asked = [one.term for one in asked_terms(word, self._terms) if one.field == BODY]
            return max((int(self._searcher.doc_freq(BODY, term)) for term in asked), default=len(self))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for field in (BODY, PARTS):
        builder.add_text_field(field, stored=False, tokenizer_name=_ANALYSER, index_option="freq")
    builder.add_unsigned_field("chunk", stored=False, indexed=True, fast=True)
    builder.add_text_field("kind", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("commit", stored=True)
    builder.add_unsigned_field("form", stored=True)
    builder.add_text_field("index_id", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _entry_document(entry: LexicalEntry) -> tantivy.Document:
    document = tantivy.Document()
    spelling = spelled_out(f"{entry.context}\n{entry.text}")
    document.add_text(BODY, spelling.words)
    if spelling.parts:
        document.add_text(PARTS, spelling.parts)
    if spelling.language is not None:
        document.add_text("kind", spelling.language)
    document.add_unsigned("chunk", entry.chunk)
    return document


def _marker_document(commit: int, index_id: str) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("kind", "marker")
    document.add_unsigned("commit", commit)
    document.add_unsigned("form", FORM)
    document.add_text("index_id", index_id)
    return document


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
