"""The documents, questions and judgements of a run, and the documents a second time with one in a hundred edited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rag_engine.evaluation import GoldSet, read_gold_set

EDITED_SENTENCE = " This sentence was added later."


@dataclass(frozen=True, slots=True)
class Corpus:
    """``folder`` is a gold set in BEIR form that holds edited.jsonl too."""

    folder: Path
    gold: GoldSet
    documents: int

    @property
    def original(self) -> Path:
        """As it is first ingested."""
        return self.folder / "corpus.jsonl"

    @property
    def edited(self) -> Path:
        """With a sentence more in one document of a hundred."""
        return self.folder / "edited.jsonl"

    @property
    def queries(self) -> Path:
        """The questions, all of them judged."""
        return self.folder / "queries.jsonl"

    @property
    def first_question(self) -> str:
        """What a fresh process is asked."""
        return self.gold.questions[0].text


def prepare(source: Path, folder: Path, *, documents: int | None = None) -> Corpus:
    """Writes the gold set ``source`` into ``folder``, cut to ``documents``: half of them, at most, are those that the
    first questions need, the others come as they stand in the file.

    Raises:
        GoldSetError: ``source`` is no gold set in BEIR form.
    """
    gold = read_gold_set(source)
    lines = (source / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {str(json.loads(line)["_id"]): line for line in lines}
    count = len(rows) if documents is None else min(documents, len(rows))
    questions = {question.id: question for question in gold.questions if question.relevant}
    if count < len(rows):
        kept: dict[str, None] = {}
        for identifier, question in list(questions.items()):
            if len(kept | dict.fromkeys(question.relevant)) > count / 2:
                del questions[identifier]
            else:
                kept.update(dict.fromkeys(question.relevant))
        kept.update(dict.fromkeys(list(rows)[: count * 2]))
        chosen = set(list(kept)[:count])
    else:
        chosen = set(rows)
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    original = [line for identifier, line in rows.items() if identifier in chosen]
    _write_lines(folder / "corpus.jsonl", original)
    _write_lines(folder / "edited.jsonl", [_edited(line, number) for number, line in enumerate(original)])
    _write_lines(
        folder / "queries.jsonl",
        [json.dumps({"_id": question.id, "text": question.text}) for question in questions.values()],
    )
    judgements = [
        f"{question.id}\t{document}\t{grade}"
        for question in questions.values()
        for document, grade in question.relevant.items()
    ]
    _write_lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", *judgements])
    return Corpus(folder, read_gold_set(folder), len(original))


def _edited(line: str, number: int) -> str:
    if number % 100 != 50:
        return line
    row = json.loads(line)
    return json.dumps({**row, "text": row["text"] + EDITED_SENTENCE}, ensure_ascii=False)


def _write_lines(file: Path, lines: list[str]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
