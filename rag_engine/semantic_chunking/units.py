"""The units of a document's structure."""

from __future__ import annotations

from dataclasses import dataclass

from rag_engine.semantic_chunking.transcripts import Turn
from rag_engine.types.document import Block, BlockKind


@dataclass(frozen=True, slots=True)
class Unit:
    """A block's characters without surrounding white space, and the headings above it, outermost first.

    A heading is a unit of the section that it opens: the last of its own ``headings`` is itself.
    ``turns`` are those of a transcript that lie in the unit, the one that it begins in included. ``opens_page`` says
    that a page ends between the unit before and this one; ``goes_on`` that this one completes the unit before: the
    rest of a sentence that runs over the page, or the list that a line ending in a colon introduces.
    """

    kind: BlockKind
    start: int
    end: int
    headings: tuple[Block, ...] = ()
    turns: tuple[Turn, ...] = ()
    opens_page: bool = False
    goes_on: bool = False
