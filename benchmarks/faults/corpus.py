"""A folder of generated documents that changes as people's folders do."""

from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path

_WORDS = re.findall(
    r"\w+",
    """
invoice refund payment customer delivery contract deadline engine index search vector chunk lexicon commit
catalog journal window boundary heading section table figure evidence citation passage question answer model
token budget router fallback latency throughput memory storage sensor valve pressure rotor turbine bearing
""",
)
# In every title, so that a lexical search for it finds every chunk.
COMMON_WORD = "handbook"


class Corpus:
    """Markdown files and two JSON Lines files below ``folder``; ``change`` edits, adds, deletes, renames, moves and
    copies."""

    def __init__(self, folder: Path, *, files: int, generator: random.Random) -> None:
        """Writes ``files`` Markdown files and as many records."""
        self.folder = folder
        self._generator = generator
        self._made = 0
        folder.mkdir(parents=True)
        self._records: dict[str, dict[str, str]] = {"first.jsonl": {}, "second.jsonl": {}}
        for _ in range(files):
            self._write(self._new_name())
            self._add_record(generator.choice(["first.jsonl", "second.jsonl"]))
        self._write_records()

    def expected(self) -> dict[str, str]:
        """SHA-256 of each document's text, by its id seen from the folder above, as a whole ingest must have them."""
        # Of equal files the first has the document.
        first = {path.read_text(): path.name for path in reversed(self._markdown())}
        texts = {f"{self.folder.name}/{name}": text for text, name in first.items()}
        for records in self._records.values():
            texts.update(records)
        return {identifier: hashlib.sha256(text.encode()).hexdigest() for identifier, text in texts.items()}

    def change(self) -> None:
        """A tenth of the folder becomes other than it was."""
        generator = self._generator
        for path in generator.sample(self._markdown(), max(4, len(self._markdown()) // 10)):
            match generator.randrange(6):
                case 0:
                    path.write_text(path.read_text() + f"\n{self._paragraph()}\n")
                case 1:
                    path.unlink()
                    self._write(self._new_name())
                case 2:
                    path.rename(path.with_name(self._new_name()))
                case 3:
                    (self.folder / self._new_name()).write_text(path.read_text())
                case 4:
                    first, text = self._markdown()[0], path.read_text()
                    first.rename(first.with_name(self._new_name()))
                    first.write_text(text)
                case 5:
                    lines = path.read_text().splitlines()
                    lines[generator.randrange(2, len(lines))] = self._paragraph()
                    path.write_text("\n".join(lines) + "\n")
        for name, other in (("first.jsonl", "second.jsonl"), ("second.jsonl", "first.jsonl")):
            for identifier in generator.sample(sorted(self._records[name]), min(3, len(self._records[name]) - 1)):
                text = self._records[name].pop(identifier)
                match generator.randrange(3):
                    case 0:
                        self._records[other][identifier] = text
                    case 1:
                        self._records[other][identifier] = text + " " + self._paragraph()
                    case 2:
                        self._add_record(name)
        self._write_records()

    def _markdown(self) -> list[Path]:
        return sorted(self.folder.glob("*.md"))

    def _new_name(self) -> str:
        self._made += 1
        return f"page-{self._made:04}.md"

    def _write(self, name: str) -> None:
        sections = [
            f"## {self._generator.choice(_WORDS)} {number}\n\n{self._paragraph()}\n"
            for number in range(self._generator.randrange(1, 4))
        ]
        title = f"# The {COMMON_WORD} {self._made}\n\n{self._paragraph()}\n\n"
        (self.folder / name).write_text(title + "\n".join(sections))

    def _add_record(self, name: str) -> None:
        self._made += 1
        self._records[name][f"record-{self._made:04}"] = self._paragraph()

    def _write_records(self) -> None:
        for name, records in self._records.items():
            lines = [
                json.dumps({"_id": identifier, "title": f"The {COMMON_WORD}", "text": text})
                for identifier, text in records.items()
            ]
            (self.folder / name).write_text("\n".join(lines) + "\n")

    def _paragraph(self) -> str:
        words = [self._generator.choice(_WORDS) for _ in range(self._generator.randrange(12, 40))]
        return " ".join(words).capitalize() + f" {self._generator.randrange(10**9)}."
