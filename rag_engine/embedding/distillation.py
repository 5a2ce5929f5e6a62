"""Static vectors distilled from a model: what it says of each token of its vocabulary, in few dimensions.

As Model2Vec does it (Tulkens and van Dongen 2024): every token embedded by itself, principal components, and rare
tokens counting for more. Made once for a model and kept; a text's vector is then a sum, at no cost to speak of.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.embedding.cache_files import write_whole
from rag_engine.embedding.compiled.reference_texts import SUBJECTS
from rag_engine.protocols import Embedder
from rag_engine.types.static_vectors import StaticVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.protocols import Tokenizer, Vectors

logger = logging.getLogger(__name__)

FORMAT = 1  # raised whenever the same model would give other vectors
_DIMENSION = 32
_FITTED = 8_192  # tokens, spread over the vocabulary, by which the components are found
_TOGETHER = 4_096  # tokens embedded at a time, which keeps memory flat
_LARGEST = 127  # of int8
_TINY = 1e-12  # in the place of a length of nothing
# Vectors by which subjects are less apart than this cannot say where one ends: those of a model without training.
_LEAST_DIFFERENCE = 0.05


def open_static_vectors(embedder: Embedder, *, cache: Path) -> StaticVectors | None:
    """The static vectors of a model, distilled now where that has not been done yet.

    None where the embedder's tokenizer has no vocabulary, or its vectors do not tell subjects apart. They are the same
    for every runtime of a model: the first one distils.

    Args:
        embedder: the model.
        cache: folder that holds what is made of models; where it cannot be written, they are made each time.
    """
    identity = replace(embedder.identity, model="", runtime="")
    key = hashlib.sha256(json.dumps([FORMAT, asdict(identity)], sort_keys=True).encode()).hexdigest()
    file = cache / "static" / f"{identity.weights[:12]}-{key[:16]}.npz"
    static = _read(file)
    if static is None:
        static = distilled(embedder)
        try:
            write_whole(file, _packed(static))
        except OSError as error:
            logger.warning("the static vectors cannot be kept in %s (%s)", file.parent, error.strerror)
    return static if static.related - static.unrelated >= _LEAST_DIFFERENCE else None


def distilled(embedder: Embedder) -> StaticVectors:
    """Embeds every token of the vocabulary by itself; without a vocabulary there are no vectors."""
    import numpy as np

    texts = embedder.tokenizer.vocabulary()
    if not texts:
        return StaticVectors(np.empty((0, _DIMENSION), dtype=np.int8), 0.0, 0.0)
    logger.warning(
        "distilling static vectors of the model %s, once: %s tokens, about ten seconds for 30,000 of a small model",
        embedder.identity.model,
        f"{len(texts):,}",
    )
    fitted = np.concatenate(list(_embedded(embedder, texts[:: -(-len(texts) // _FITTED)])))
    mean = fitted.mean(axis=0)
    _, components = np.linalg.eigh((fitted - mean).T @ (fitted - mean))
    components = components[:, ::-1][:, :_DIMENSION]
    rows = np.concatenate([(rows - mean) @ components for rows in _embedded(embedder, texts)])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    # Vocabularies begin with what is frequent: by Zipf's law the rank says how much a token tells (Model2Vec, too).
    rows *= np.log1p(np.arange(len(rows)))[:, None] / np.maximum(lengths, _TINY)
    largest = max(float(np.abs(rows).max()), _TINY)
    whole = np.rint(rows * (_LARGEST / largest)).astype(np.int8)
    return StaticVectors(whole, *_calibrated(whole, embedder.tokenizer))


def _embedded(embedder: Embedder, texts: list[str]) -> Iterator[Vectors]:
    for first in range(0, len(texts), _TOGETHER):
        yield embedder.embed(texts[first : first + _TOGETHER])


def _calibrated(vectors: NDArray[np.int8], tokenizer: Tokenizer) -> tuple[float, float]:
    """Mean cosines of the two halves of texts on one subject, and of halves on two."""
    import numpy as np

    def vector(text: str) -> NDArray[np.float64]:
        total = vectors[tokenizer.encode(text).ids].sum(axis=0, dtype=np.float64)
        return np.asarray(total / max(float(np.linalg.norm(total)), _TINY))

    befores = np.stack([vector(" ".join(sentences[: len(sentences) // 2])) for sentences in SUBJECTS])
    behinds = np.stack([vector(" ".join(sentences[len(sentences) // 2 :])) for sentences in SUBJECTS])
    cosines = befores @ behinds.T
    related = float(np.diagonal(cosines).mean())
    return related, float((cosines.sum() - np.trace(cosines)) / (cosines.size - len(cosines)))


def _packed(static: StaticVectors) -> bytes:
    import numpy as np

    content = io.BytesIO()
    np.savez(content, vectors=static.vectors, cosines=np.asarray([static.related, static.unrelated]))
    return content.getvalue()


def _read(file: Path) -> StaticVectors | None:
    """What was kept, or None where nothing was, or it is damaged."""
    import numpy as np

    try:
        # A ZIP file: every member has its checksum. Given a path, numpy leaves a damaged one open.
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as kept:
            return StaticVectors(kept["vectors"], *map(float, kept["cosines"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        logger.warning("the static vectors in %s are damaged (%s); they are made anew", file, type(error).__name__)
        return None
