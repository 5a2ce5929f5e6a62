"""What tells one gold set from another, and a gold set from itself before it was edited."""

from __future__ import annotations

import hashlib
import json

from rag_engine.evaluation.gold_set import GoldSet


def fingerprint(gold: GoldSet) -> str:
    """SHA-256, in hexadecimal, of the questions with their ids, judgements and answers, in whatever order they stand.

    Where a gold span lies and how its lines are broken is left out, what it says is not: a set whose documents were
    edited around its spans asks the same.
    """
    content = [
        [
            question.id,
            question.text,
            sorted(question.relevant.items()),
            sorted(question.answers),
            question.answerable,
            sorted((span.document, " ".join(span.text.split())) for span in question.spans),
        ]
        for question in sorted(gold.questions, key=lambda question: question.id)
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
