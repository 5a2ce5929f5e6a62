"""Documents that are nearly the same: found at the end of an ingest, among those that it changed and what is like them.

Each follows the first in order, by path and id, that it is like and that follows none itself. That depends on the
documents that there are and not on how they came; and a killed ingest's next one goes on, since the catalog knows what
is still to be compared.
"""

from __future__ import annotations

from functools import lru_cache

from rag_engine import tracing
from rag_engine.index import Catalog, Neighbourhood
from rag_engine.ingestion import path_order
from rag_engine.jobs.ingest_batch import IngestBatch

_POLICY, _THRESHOLD = "near_duplicates", "near_duplicate_threshold"
_REMEMBERED = 1024  # texts' shingles while they are compared: 64 MB at most


class NearDuplicateSettlement:
    """Finds near-duplicates and, by policy, takes them out of the search or brings them back."""

    def __init__(self, *, catalog: Catalog, batch: IngestBatch, policy: str, threshold: float) -> None:
        """``policy`` is ``keep``, ``link`` (which is up to the search) or ``drop``; from the ``threshold`` on, a
        Jaccard similarity of word 5-grams, documents are nearly the same."""
        self._catalog = catalog
        self._batch = batch
        self._policy = policy
        self._threshold = threshold

    def settle(self) -> None:
        """To be called when everything is committed that the ingest brings."""
        known = self._catalog.meta(_THRESHOLD)
        other_threshold = known is not None and known != repr(self._threshold)
        if other_threshold or self._catalog.near_duplicates.any_uncompared():
            with tracing.span("ingest compare"), self._catalog.neighbourhood() as neighbourhood:
                if other_threshold:
                    neighbourhood.compare_all()
                self._compare(neighbourhood)
                neighbourhood.set_meta(_THRESHOLD, repr(self._threshold))
        if "drop" in (self._policy, self._catalog.meta(_POLICY)):
            self._drop_and_bring_back()

    def _compare(self, neighbourhood: Neighbourhood) -> None:
        # NumPy is not needed by an ingest that finds nothing new.
        from rag_engine.index.sketches import SAMPLED, leaders, shingles, sketch

        changed = []
        for document, text in neighbourhood.uncompared():
            neighbourhood.put_sketch(document, sketch(shingles(text)))
            changed.append(document)
        sketches = neighbourhood.connected(changed)
        places = neighbourhood.places(sketches)
        ordered = sorted(sketches, key=lambda document: (path_order(places[document][0]), places[document][1]))
        remembered = lru_cache(_REMEMBERED)(lambda document: shingles(neighbourhood.text(document))[:SAMPLED].copy())
        neighbourhood.set_leaders(ordered, leaders(ordered, sketches, remembered, threshold=self._threshold))

    def _drop_and_bring_back(self) -> None:
        """Only documents with chunks are found: those that follow another one get none, the others have theirs."""
        followers = self._catalog.near_duplicates.followers() if self._policy == "drop" else set[int]()
        unchunked = set(self._catalog.near_duplicates.unchunked())
        for document in self._catalog.documents_of(sorted(unchunked - followers)):
            self._batch.replace_chunks(document)
        self._batch.commit()
        dropped = followers - unchunked
        if dropped or self._catalog.meta(_POLICY) != self._policy:
            with self._catalog.change() as change:
                change.drop_chunks(sorted(dropped))
                change.set_meta(_POLICY, self._policy)
                self._batch.totals.changes += change.take_counts()
