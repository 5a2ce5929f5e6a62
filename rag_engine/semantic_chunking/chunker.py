"""The chunker: structure -> atoms -> boundaries -> chunks, none of them over the model's window."""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag_engine.errors import ConfigurationError
from rag_engine.protocols import Tokenizer
from rag_engine.semantic_chunking.atoms import Atom, Depth, cut_to_atoms
from rag_engine.semantic_chunking.boundaries import Atoms, chunk_boundaries
from rag_engine.semantic_chunking.cohesion import cohesion
from rag_engine.semantic_chunking.context import Context
from rag_engine.semantic_chunking.openings import expected_openings, opening_before
from rag_engine.semantic_chunking.sections import group_sections
from rag_engine.semantic_chunking.structure import Unit, read_structure
from rag_engine.semantic_chunking.token_positions import CHARACTERS_PER_TOKEN, TokenPositions
from rag_engine.types.document import Block, BlockKind, Chunk, Document
from rag_engine.types.static_vectors import StaticVectors

_VERSION = 4  # raised whenever the same document may give other chunks
_SMALLEST_TEXT = 14  # tokens
_MOST_CONTEXT = 64  # tokens before a chunk's text, and never more than a quarter of the window
_COUNTED_TOGETHER = 512  # texts
_MARKED_CHARACTERS = 24  # at the beginning of an atom: few, so that few edits meet them


class StructuralChunker:
    """Cuts where a document's structure does: whole blocks first, then items, rows, sentences and words.

    A text of many chunks is divided where its own words say: an edit changes the chunks around it and no others.
    No chunk's text is over ``target_tokens`` tokens, as its document's are counted, or eight characters for each of
    them, and no ``embedded_text``, special tokens and context included, over ``max_tokens``. Sections too small to
    stand alone are joined with their siblings.
    """

    def __init__(
        self, *, tokenizer: Tokenizer, max_tokens: int, target_tokens: int, static_vectors: StaticVectors | None = None
    ) -> None:
        """Raises ConfigurationError where there is no room for text beside the model's special tokens.

        Args:
            tokenizer: the embedder's own.
            max_tokens: the embedder's window.
            target_tokens: largest size of a chunk's text, without context; less where the window has no room for it.
            static_vectors: of the tokenizer's vocabulary; by them, cuts fall where the subject changes. Without,
                structure alone decides.
        """
        if min(max_tokens - tokenizer.special_tokens, target_tokens) < _SMALLEST_TEXT:
            raise ConfigurationError(
                f"chunks of {min(max_tokens, target_tokens)} tokens leave no room for text",
                hint=f"set chunking.target_tokens to {_SMALLEST_TEXT} or more, and use a model that reads more",
            )
        self._target, self._window = target_tokens, max_tokens
        self._tokenizer = tokenizer
        self._static_vectors = static_vectors
        self._identity = (
            f"structural/{_VERSION} target={min(target_tokens, max_tokens)} max={max_tokens} tokenizer={tokenizer.name}"
            f"{' similarity=static' if static_vectors else ''}"
        )

    @property
    def identity(self) -> str:
        """Name, version and settings; chunks of two chunkers of one identity are equal."""
        return self._identity

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in order and without overlap; every character that is not white space lies in exactly one."""
        cutting = _Cutting(
            document,
            self._tokenizer,
            target=self._target,
            window=self._window,
            static_vectors=self._static_vectors,
        )
        accepted: list[Chunk] = []
        proposed = list(cutting.spans())
        while proposed:
            drafts = [cutting.draft(start, end) for start, end in proposed]
            counts = cutting.counts(drafts)
            # What was estimated too small is cut again, in smaller parts.
            proposed = []
            for draft, tokens in zip(drafts, counts, strict=True):
                length = draft.end - draft.start
                fits = tokens <= self._window and length <= CHARACTERS_PER_TOKEN * self._target
                if fits or length == 1:
                    accepted.append(replace(draft, tokens=tokens))
                else:
                    proposed.extend(cutting.halved(draft.start, draft.end))
        accepted.sort(key=lambda chunk: chunk.start)
        return [replace(chunk, ordinal=ordinal) for ordinal, chunk in enumerate(accepted)]


class _Cutting:
    """One document on its way: its units, where its tokens are, and the context of its chunks."""

    def __init__(
        self,
        document: Document,
        tokenizer: Tokenizer,
        *,
        target: int,
        window: int,
        static_vectors: StaticVectors | None,
    ) -> None:
        self._text = document.text
        self._static_vectors = static_vectors
        self._tokenizer = tokenizer
        self._separators = tokenizer.separators
        self._prefix_tokens: dict[str, int] = {}
        self._units = read_structure(document)
        self._unit_starts = [unit.start for unit in self._units]
        self._unit_ends = [unit.end for unit in self._units]
        self._positions = TokenPositions(tokenizer, self._text if self._units else "")
        self._target, self._room = target, window - tokenizer.special_tokens
        context_limit = min(_MOST_CONTEXT, self._room // 4)
        headings = [unit.headings[-1] for unit in self._units if unit.kind is BlockKind.HEADING]
        self._capacity = min(target, self._room - context_limit)  # whatever the context
        openings = expected_openings(self._text, self._units, self._positions, self._capacity)
        self._context = Context(
            tokenizer, title=document.title, headings=headings, limit=context_limit, openings=openings
        )

    def spans(self) -> Iterator[tuple[int, int]]:
        """Spans of the chunks, by estimated size."""
        for first, last in group_sections(self._units, self._positions, self._capacity):
            units = self._units[first:last]
            paths = {unit.headings for unit in units}
            context = max(self._context.largest(path) for path in paths)
            yield from self._packed(units, min(self._target, self._room - context))

    def halved(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The span in at least two parts, unless it is a single character."""
        units = [
            replace(unit, start=max(unit.start, start), end=min(unit.end, end))
            for unit in self._units_within(start, end)
        ]
        return self._packed(units, self._positions.size(start, end) / 2)

    def draft(self, start: int, end: int) -> Chunk:
        """The chunk of a span; its ordinal and tokens are still to be told."""
        text = self._text[start:end]
        units = self._units_within(start, end)
        headings = _shared_headings(units)
        opening = opening_before(self._text, units[0], start)
        room = self._room - math.ceil(self._positions.size(start, end))
        prefix = self._context.prefix(headings, start, end, text, opening=opening, room=room)
        return Chunk(0, start, end, text, tuple(heading.title for heading in headings), prefix + text, 0)

    def counts(self, drafts: Sequence[Chunk]) -> list[int]:
        """Tokens of each chunk's embedded text, special tokens included. Those of the document are known: only what is
        not cut beside a separator is tokenised once more."""
        known = [self._stands_apart(draft) for draft in drafts]
        prefixes = [draft.embedded_text[: len(draft.embedded_text) - len(draft.text)] for draft in drafts]
        new = dict.fromkeys(prefix for prefix in prefixes if prefix not in self._prefix_tokens)
        self._prefix_tokens.update(zip(new, self._tokenizer.count(list(new)), strict=True))
        counted = iter(
            self._counted([draft.embedded_text for draft, is_known in zip(drafts, known, strict=True) if not is_known])
        )
        return [
            self._positions.count(draft.start, draft.end) + self._prefix_tokens[prefix] if is_known else next(counted)
            for draft, prefix, is_known in zip(drafts, prefixes, known, strict=True)
        ]

    def _stands_apart(self, draft: Chunk) -> bool:
        return bool(self._separators) and self._is_parted(draft.start) and self._is_parted(draft.end)

    def _is_parted(self, position: int) -> bool:
        at_an_end = position in (0, len(self._text))
        return at_an_end or self._text[position - 1] in self._separators or self._text[position] in self._separators

    def _counted(self, texts: Sequence[str]) -> Iterator[int]:
        for first in range(0, len(texts), _COUNTED_TOGETHER):
            yield from self._tokenizer.count(texts[first : first + _COUNTED_TOGETHER])

    def _units_within(self, start: int, end: int) -> Sequence[Unit]:
        return self._units[bisect_right(self._unit_ends, start) : bisect_left(self._unit_starts, end)]

    def _packed(self, units: Sequence[Unit], capacity: float) -> Iterator[tuple[int, int]]:
        import numpy as np

        start, end = units[0].start, units[-1].end
        if self._positions.size(start, end) <= capacity:
            yield start, end
            return
        atoms = self._atoms(units, capacity)
        bounds = np.asarray([atom[:2] for atom in atoms], dtype=np.int64)
        sizes = self._positions.sizes(bounds[:, 0], bounds[:, 1])
        gaps = np.zeros(len(atoms))
        gaps[1:] = (bounds[1:, 0] - bounds[:-1, 1]) // CHARACTERS_PER_TOKEN
        depths = np.asarray([atom.depth for atom in atoms], dtype=np.int64)
        marks = np.asarray([_mark(self._text[atom.start : atom.end]) for atom in atoms])
        together = np.ones(len(atoms))
        if self._static_vectors is not None:
            firsts = np.searchsorted(self._positions.starts, bounds[:, 0])
            together = cohesion(self._positions.ids, firsts, self._static_vectors)
        first = 0
        for last in chunk_boundaries(Atoms(sizes, gaps, depths, marks, together), capacity):
            yield atoms[first].start, atoms[last - 1].end
            first = last

    def _atoms(self, units: Sequence[Unit], capacity: float) -> list[Atom]:
        """Atoms of the units in order; headings are one atom with the first that follows them, where that fits."""
        atoms: list[Atom] = []
        waiting: list[Unit] = []
        for unit in units:
            if unit.kind is BlockKind.HEADING:
                if waiting and self._positions.size(waiting[0].start, unit.end) > capacity / 2:
                    atoms += self._cut_each(waiting, capacity)
                    waiting = []
                waiting.append(unit)
                continue
            taken = self._positions.size(waiting[0].start, waiting[-1].end) if waiting else 0.0
            if taken > capacity / 2:
                atoms += self._cut_each(waiting, capacity)
                waiting, taken = [], 0.0
            pieces = cut_to_atoms(self._text, unit, Depth.BLOCK, self._positions, capacity - taken)
            if waiting:
                pieces[0] = Atom(waiting[0].start, pieces[0].end, Depth.SECTION)
                waiting = []
            atoms += pieces
        return atoms + self._cut_each(waiting, capacity)

    def _cut_each(self, headings: Sequence[Unit], capacity: float) -> list[Atom]:
        return [
            atom
            for heading in headings
            for atom in cut_to_atoms(self._text, heading, Depth.SECTION, self._positions, capacity)
        ]


def _mark(text: str) -> float:
    """A number from 0 to 1 that any other text is as likely to have; by its first characters if these differ."""
    beginning, whole = zlib.crc32(text[:_MARKED_CHARACTERS].encode()), zlib.crc32(text.encode())
    return (beginning + whole / (1 << 32)) / (1 << 32)


def _shared_headings(units: Sequence[Unit]) -> tuple[Block, ...]:
    """The headings above all of the units that are not headings themselves, or above all where there are no others."""
    paths = list(dict.fromkeys(unit.headings for unit in units if unit.kind is not BlockKind.HEADING))
    first, *others = paths or list(dict.fromkeys(unit.headings for unit in units))
    shared = len(first)
    for path in others:
        shared = min(shared, len(path))
        while first[:shared] != path[:shared]:
            shared -= 1
    return first[:shared]
