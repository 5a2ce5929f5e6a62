from __future__ import annotations

import json
import unicodedata
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError
from rag_engine.ingestion.loaders.source_code import SourceCodeLoader
from rag_engine.semantic_chunking import StructuralChunker
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.document import Block, BlockKind, Chunk, Document
from rag_engine.types.ingestion import LoadLimits

SHARED = Path(__file__).parents[3].parent / "shared"


@pytest.fixture(scope="session")
def chunker(tokenizer: ModelTokenizer) -> StructuralChunker:
    return StructuralChunker(tokenizer=tokenizer, max_tokens=256, target_tokens=256)


def prose(tokens: int, *, word: str = "cat") -> str:
    """Sentences of ten tokens each, ``tokens`` in all."""
    return " ".join(f"The {word} and the dog sat on a mat." for _ in range(tokens // 10))


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def test_the_identity_names_everything_that_decides_the_chunks(chunker: StructuralChunker) -> None:
    assert chunker.identity == "structural/4 target=256 max=256 tokenizer=all-MiniLM-L6-v2"


def test_a_budget_without_room_for_text_is_refused(tokenizer: ModelTokenizer) -> None:
    with pytest.raises(ConfigurationError, match="leave no room"):
        StructuralChunker(tokenizer=tokenizer, max_tokens=256, target_tokens=8)


def test_the_smaller_of_window_and_target_holds(tokenizer: ModelTokenizer) -> None:
    document = Document("d", prose(600))
    for window, target in ((64, 512), (512, 64)):
        chunks = StructuralChunker(tokenizer=tokenizer, max_tokens=window, target_tokens=target).chunk(document)
        assert max(chunk.tokens for chunk in chunks) <= 64


def test_a_long_paragraph_is_cut_between_sentences_into_as_few_chunks_as_hold_it(chunker: StructuralChunker) -> None:
    chunks = chunker.chunk(Document("d", prose(520)))
    assert len(chunks) == 3
    assert all(chunk.text.endswith(".") for chunk in chunks)


def test_paragraphs_that_fit_are_kept_whole(chunker: StructuralChunker) -> None:
    paragraphs = [prose(150, word=word) for word in ("cat", "cow", "hen", "pig")]
    assert texts(chunker.chunk(Document("d", "\n\n".join(paragraphs)))) == paragraphs


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (BlockKind.LIST, "- item one of the list,\n  which goes on."),
        (BlockKind.TABLE, "| a cell | another cell. | third |"),
        (BlockKind.CODE, "value = compute(first, second)"),
    ],
)
def test_a_block_that_does_not_fit_is_cut_between_its_parts(
    chunker: StructuralChunker, kind: BlockKind, part: str
) -> None:
    text = "\n".join([part] * 60)
    chunks = chunker.chunk(Document("d", text, blocks=(Block(kind, 0, len(text)),)))
    assert len(chunks) > 1
    assert all(chunk.text.startswith(part) and chunk.text.endswith(part) for chunk in chunks)


def test_code_is_cut_at_blank_lines_before_other_lines(chunker: StructuralChunker) -> None:
    function = "def compute(first, second):\n    total = first + second\n    return total * 2"
    text = "\n\n\n".join([function] * 20)
    chunks = chunker.chunk(Document("d", text, blocks=(Block(BlockKind.CODE, 0, len(text)),)))
    assert len(chunks) > 1
    assert all(chunk.text.startswith("def") and chunk.text.endswith("* 2") for chunk in chunks)


def test_the_context_is_the_title_and_the_headings_that_the_text_does_not_hold(chunker: StructuralChunker) -> None:
    text = f"# Guide\n\n{prose(100)}\n\n## Install\n\n{prose(400)}"
    chunks = chunker.chunk(Document("d", text, title="Handbook"))
    assert [chunk.heading_path for chunk in chunks] == [("Guide",), ("Guide", "Install"), ("Guide", "Install")]
    assert [chunk.embedded_text.removesuffix(chunk.text) for chunk in chunks] == [
        "Handbook\n",
        "Handbook > Guide\n",
        "Handbook > Guide > Install\n",
    ]


@pytest.mark.parametrize("title", ["guide", "Guide  "])
def test_a_title_equal_to_the_first_heading_is_not_repeated(chunker: StructuralChunker, title: str) -> None:
    chunks = chunker.chunk(Document("d", f"# Guide\n\n{prose(400)}", title=title))
    assert [chunk.embedded_text.removesuffix(chunk.text) for chunk in chunks] == ["", "Guide\n"]


def test_a_title_that_opens_the_text_is_not_repeated(chunker: StructuralChunker) -> None:
    document = Document("d", "On the\nflow of air .\nWe study it .", title="on the flow of air .")
    (chunk,) = chunker.chunk(document)
    assert chunk.embedded_text == document.text


def test_without_title_and_headings_the_embedded_text_is_the_text(chunker: StructuralChunker) -> None:
    (chunk,) = chunker.chunk(Document("d", "Just words."))
    assert chunk.embedded_text == "Just words."


def test_a_context_over_a_quarter_of_the_budget_loses_its_outermost_headings_first(
    chunker: StructuralChunker, tokenizer: ModelTokenizer
) -> None:
    long = "outer " * 30
    text = f"# {long}\n\n## middle {long}\n\n### inner words\n\n{prose(400)}"
    last = chunker.chunk(Document("d", text, title="Book"))[-1]
    context = last.embedded_text.removesuffix(last.text)
    assert context.startswith("Book > middle")
    assert context.endswith("> inner words\n")
    assert tokenizer.count([context])[0] - 2 <= 64
    assert last.heading_path == (long.strip(), f"middle {long}".strip(), "inner words")


def test_a_title_over_a_quarter_of_the_budget_is_cut_at_a_word(
    chunker: StructuralChunker, tokenizer: ModelTokenizer
) -> None:
    (chunk,) = chunker.chunk(Document("d", "Body.", title="rhinoceros " * 200))
    context = chunk.embedded_text.removesuffix(chunk.text)
    assert set(context.split()) == {"rhinoceros"}
    assert 50 < tokenizer.count([context])[0] - 2 <= 64


def test_no_chunk_ends_in_a_heading_where_text_follows(chunker: StructuralChunker) -> None:
    for size in range(20, 440, 60):
        text = f"# One\n\n{prose(size)}\n\n# Two\n\n## Part\n\n{prose(460 - size)}"
        for chunk in chunker.chunk(Document("d", text)):
            assert not chunk.text.splitlines()[-1].startswith("#")


def test_small_sections_are_joined_under_their_parent(chunker: StructuralChunker) -> None:
    text = "# Parent\n\n" + "\n\n".join(f"## Section {number}\n\nShort." for number in range(6))
    (chunk,) = chunker.chunk(Document("d", text, title="Book"))
    assert chunk.text == text
    assert chunk.heading_path == ("Parent",)
    assert chunk.embedded_text == "Book\n" + text


def test_a_small_section_is_not_joined_across_its_parent(chunker: StructuralChunker) -> None:
    text = f"# A\n\n{prose(60)}\n\n## A1\n\nShort.\n\n# B\n\nAlso short."
    assert [chunk.heading_path for chunk in chunker.chunk(Document("d", text))] == [("A",), ("A", "A1"), ("B",)]


def test_a_small_section_with_its_subsections_joins_its_sibling(chunker: StructuralChunker) -> None:
    text = "# A\n\n## A1\n\nShort.\n\n# B\n\nAlso short."
    (chunk,) = chunker.chunk(Document("d", text))
    assert chunk.heading_path == ()


def test_a_function_that_fits_is_one_chunk_that_knows_its_class(chunker: StructuralChunker) -> None:
    methods = [f"    def {name}(self):\n" + f"        {name} = {name} + 1\n" * 12 for name in ("a", "b")]
    text = "class Owl:\n    wings = 2\n\n" + "\n".join(methods) + "\n" + "print(Owl())\n" * 9
    (document,) = SourceCodeLoader().load(text.encode(), name="a.py", limits=LoadLimits(10_000))
    chunks = chunker.chunk(document)
    paths = {chunk.text.strip().split("\n")[0].strip(): chunk.heading_path for chunk in chunks}
    assert all(any(method.strip() in chunk.text for chunk in chunks) for method in methods)
    assert paths["def b(self):"] == ("class Owl", "method b")
    assert paths["print(Owl())"] == ()


def test_sections_large_enough_stay_apart(chunker: StructuralChunker) -> None:
    text = f"# A\n\n{prose(60)}\n\n# B\n\n{prose(60)}"
    assert [chunk.heading_path for chunk in chunker.chunk(Document("d", text))] == [("A",), ("B",)]


@pytest.mark.parametrize("levels", [(1,), (1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1)])
def test_headings_without_bodies_share_chunks(chunker: StructuralChunker, levels: tuple[int, ...]) -> None:
    text = "\n\n".join("#" * levels[number % len(levels)] + f" Heading {number}" for number in range(10_000))
    assert len(chunker.chunk(Document("d", text, title="T"))) < 600


def test_no_chunk_is_over_eight_characters_for_a_token_of_the_budget(chunker: StructuralChunker) -> None:
    for text in ("x" * 100_000, "😀" * 100_000, "\u200b" * 100_000, ("a" + " " * 3000) * 20):
        assert max(len(chunk.text) for chunk in chunker.chunk(Document("d", text))) <= 2048


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["e\u0301", "👩‍💻", "👍🏽", "हि", "❤️", "x"]), min_size=30, max_size=300).map("".join))
def test_no_cut_parts_a_character_from_its_marks(tokenizer: ModelTokenizer, text: str) -> None:
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=20, target_tokens=20)
    for chunk in chunker.chunk(Document("d", text)):
        assert unicodedata.category(chunk.text[0])[0] != "M"
        assert chunk.text[0] not in "\u200d🏽"
        assert not chunk.text.endswith("\u200d")


CLUSTERS = ("🇩🇪", "🇫🇷", "👩‍💻", "각", "กำ", "क्ष", "e\u0301")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(CLUSTERS), min_size=30, max_size=300))
def test_no_cut_parts_flags_or_syllables(tokenizer: ModelTokenizer, clusters: list[str]) -> None:
    text = "".join(clusters)
    ends = set(accumulate(len(cluster) for cluster in clusters))
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=20, target_tokens=20)
    assert {chunk.end for chunk in chunker.chunk(Document("d", text))} <= ends


def test_turns_are_cut_apart_before_their_sentences_are(chunker: StructuralChunker) -> None:
    turns = [f"{('Ana', 'Bo')[number % 2]}: {prose(40)}" for number in range(20)]
    chunks = chunker.chunk(Document("d", "\n".join(turns)))
    assert len(chunks) > 2
    assert all(chunk.text.startswith(("Ana: ", "Bo: ")) for chunk in chunks)


def test_items_keep_what_is_nested_in_them(chunker: StructuralChunker) -> None:
    item = f"- {prose(30)}\n  - {prose(20)}\n  - {prose(20)}"
    chunks = chunker.chunk(Document("d", "\n".join([item] * 12)))
    assert len(chunks) > 2
    assert all(chunk.text.startswith("- ") and chunk.text.count("\n") % 3 == 2 for chunk in chunks)


def test_a_line_that_introduces_a_list_goes_with_its_first_item(chunker: StructuralChunker) -> None:
    items = "\n".join(f"- {prose(60)}" for _ in range(6))
    chunks = chunker.chunk(Document("d", f"{prose(150)}\n\nThese are the things to do:\n\n{items}"))
    assert all(not chunk.text.endswith("to do:") for chunk in chunks)


def test_headings_deeper_than_nine_levels_are_siblings(chunker: StructuralChunker) -> None:
    titles = [f"Level {level}" for level in range(1, 15)]
    text = "\n\n".join(titles) + f"\n\n{prose(20)}"
    blocks = tuple(
        Block(BlockKind.HEADING, text.index(title), text.index(title) + len(title), level, title)
        for level, title in enumerate(titles, 1)
    )
    assert len(chunker.chunk(Document("d", text, blocks=blocks))[-1].heading_path) <= 9


def test_an_edit_at_the_end_leaves_earlier_sections_alone(chunker: StructuralChunker) -> None:
    before = "\n\n".join(f"# Section {number}\n\n{prose(300)}" for number in range(5))
    after = before + " One more sentence."
    assert chunker.chunk(Document("d", before))[:-2] == chunker.chunk(Document("d", after))[:-2]


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["squad2_dev_half", "xquad_zh", "legalbenchrag_contractnli"])
def test_real_documents_are_cut_without_loss(chunker: StructuralChunker, name: str) -> None:
    file = SHARED / "spans" / name / "docs.jsonl"
    if not file.is_file():
        pytest.skip("needs the data folder ../shared")
    for line in file.read_text(encoding="utf-8").splitlines()[:15]:
        text = json.loads(line)["text"]
        chunks = chunker.chunk(Document("d", text))
        assert "".join("".join(texts(chunks)).split()) == "".join(text.split())
        assert max(chunk.tokens for chunk in chunks) <= 256
