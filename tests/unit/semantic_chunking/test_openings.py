from __future__ import annotations

import pytest

from rag_engine.ingestion.loaders.source_code import SourceCodeLoader
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.semantic_chunking.openings import opening_before
from rag_engine.semantic_chunking.structure import read_structure
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.document import Block, BlockKind, Chunk, Document
from rag_engine.types.ingestion import LoadLimits


def opening(text: str, before: str, kind: BlockKind = BlockKind.CODE) -> str | None:
    """What is repeated before the first ``before`` of a text that is one block."""
    (unit,) = read_structure(Document("d", text, blocks=(Block(kind, 0, len(text)),)))
    found = opening_before(text, unit, text.index(before))
    return found.text if found else None


PYTHON = """```python
class Parser(Base):
    limit = 1

    def parse(
        self,
        text: str,
    ) -> Tree:
        for each in text:
            self.read(each)
        return self.tree

def main():
    run()
```"""


def test_code_repeats_the_signatures_that_it_is_indented_below() -> None:
    assert opening(PYTHON, "self.read") == "class Parser(Base): def parse( self, text: str, ) -> Tree:"
    assert opening(PYTHON, "def parse") == "class Parser(Base):"
    assert opening(PYTHON, "run()") == "def main():"


@pytest.mark.parametrize("before", ["```", "class Parser", "def main"])
def test_code_at_the_margin_repeats_nothing(before: str) -> None:
    assert opening(PYTHON, before) is None


@pytest.mark.parametrize(
    ("code", "signature"),
    [
        ("function f(a, b) {\n  x();\n  y();\n}", "function f(a, b) {"),
        ("const f = async (a) => {\n  x();\n  y();\n};", "const f = async (a) => {"),
        ("int f(int a)\n{\n    x();\n    y();\n}", "int f(int a)"),
        ("pub(crate) fn f<T>(a: T) -> u8 {\n    x();\n    y();\n}", "pub(crate) fn f<T>(a: T) -> u8 {"),
        ("func (s *S) F(a int) error {\n\tx()\n\ty()\n}", "func (s *S) F(a int) error {"),
        (
            "public static void main(String[] a) {\n  if (a) {\n    y();\n  }\n}",
            "public static void main(String[] a) {",
        ),
        ("def f(a)\n  x()\n  y()\nend", "def f(a)"),
        ("if (a) {\n  x();\n  y();\n}", None),
        ("while True:\n    x()\n    y()", None),
        ("steps:\n  - x\n  - y()", None),
    ],
)
def test_signatures_of_many_languages_are_known_and_conditions_are_none(code: str, signature: str | None) -> None:
    assert opening(code, "y()" if "y()" in code else "- y") == signature


def test_a_table_repeats_its_header_and_one_without_header_nothing() -> None:
    table = "| Name | Age |\n|---|---|\n| Ana | 1 |\n| Bo | 2 |"
    assert opening(table, "| Bo", BlockKind.TABLE) == "| Name | Age |"
    assert opening(table, "| Name", BlockKind.TABLE) is None
    assert opening("Name: Ana; Age: 1\nName: Bo; Age: 2", "Name: Bo", BlockKind.TABLE) is None


def embedded(chunks: list[Chunk]) -> list[str]:
    return [chunk.embedded_text.removesuffix(chunk.text) for chunk in chunks]


@pytest.fixture(scope="module")
def chunker(tokenizer: ModelTokenizer) -> StructuralChunker:
    return StructuralChunker(tokenizer=tokenizer, max_tokens=64, target_tokens=64)


def test_pieces_of_a_table_are_embedded_with_its_header_and_cited_without(chunker: StructuralChunker) -> None:
    rows = "\n".join(f"| thing {number} | {3 * number} pieces |" for number in range(40))
    text = f"# Prices\n\n| Item | Stock |\n|---|---|\n{rows}"
    chunks = chunker.chunk(Document("d", text))
    assert len(chunks) > 5
    assert embedded(chunks) == ["", *["Prices\n| Item | Stock |\n"] * (len(chunks) - 1)]
    assert "\n".join(chunk.text for chunk in chunks) == text
    assert all(chunk.text.startswith("| thing") and chunk.text.endswith("|") for chunk in chunks[1:])


def test_a_header_too_long_for_the_context_is_cut_between_cells(chunker: StructuralChunker) -> None:
    header = "| " + " | ".join(f"column number {number}" for number in range(30)) + " |"
    row = "| " + " | ".join("x" for _ in range(30)) + " |"
    chunks = chunker.chunk(Document("d", "\n".join([header, "|" + "---|" * 30, *[row] * 20])))
    repeated = {prefix for prefix in embedded(chunks) if prefix}
    assert repeated
    assert all(header.startswith(prefix.rstrip()) and prefix.rstrip()[-1].isdigit() for prefix in repeated)
    assert max(chunk.tokens for chunk in chunks) <= 64


def test_pieces_of_a_loaded_function_are_embedded_with_its_signature(chunker: StructuralChunker) -> None:
    body = "\n".join(f"        self.total_{number} = amount + {number}" for number in range(30))
    text = f"class Account:\n    def pay(self, amount):\n{body}\n"
    (document,) = SourceCodeLoader().load(text.encode(), name="a.py", limits=LoadLimits(10_000))
    chunks = chunker.chunk(document)
    assert len(chunks) > 3
    assert all("def pay(self, amount):" in chunk.embedded_text for chunk in chunks)
    assert all("def pay" not in chunk.text for chunk in chunks[1:])
    assert all(chunk.text.startswith("self.total_") for chunk in chunks[1:])


def test_a_long_turn_is_embedded_with_its_speaker(chunker: StructuralChunker) -> None:
    speech = " ".join(f"We will come back to item {number} of the list in a moment." for number in range(12))
    text = f"Ana: Well?\nBo Li: {speech}\nAna: So?\nBo Li: Yes."
    chunks = chunker.chunk(Document("d", text))
    within = [chunk for chunk in chunks if chunk.text.startswith("We will")]
    assert len(within) > 1
    assert {prefix for chunk, prefix in zip(chunks, embedded(chunks), strict=True) if chunk in within} == {"Bo Li:\n"}
