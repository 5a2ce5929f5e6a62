"""How much a question's words say to the embedding model, told by its tokenizer alone.

A model reads a language that it was hardly trained on in fragments, and does worse the smaller they are: Rust,
Pfeiffer, Vulić, Ruder and Gurevych, "How good is your tokenizer?" (ACL 2021). The dense leg then brings little, and an
even share for it would push down what the words found. Bytes are counted, so that a script of few letters a word is
not taken for fragments.
"""

from __future__ import annotations

import re

from rag_engine.protocols import Tokenizer

EVEN = 0.5
# The dense leg's share falls from EVEN to LEAST as a token's bytes fall between these two: chosen on quality/xquad_*.
LEAST = 0.25
_FLUENT_BYTES, _FOREIGN_BYTES = 3.9, 3.5
# A short question says little of the model: it counts together with so many tokens of a fluent text.
_USUAL_BYTES, _USUAL_TOKENS = 4.4, 6
_WORD = re.compile(r"[^\W\d_]+")
_JUDGED = 500  # characters


def dense_share(text: str, tokenizer: Tokenizer) -> float:
    """The share of the dense leg in the fused score of the question ``text``, from LEAST to EVEN."""
    words = _WORD.findall(text[:_JUDGED])
    if not words:
        return EVEN
    tokens = max(1, tokenizer.count([" ".join(words)])[0] - tokenizer.special_tokens)
    size = sum(len(word.encode("utf-8", "surrogatepass")) for word in words)
    fluency = (size + _USUAL_BYTES * _USUAL_TOKENS) / (tokens + _USUAL_TOKENS)
    known = (fluency - _FOREIGN_BYTES) / (_FLUENT_BYTES - _FOREIGN_BYTES)
    return LEAST + (EVEN - LEAST) * min(1.0, max(0.0, known))
