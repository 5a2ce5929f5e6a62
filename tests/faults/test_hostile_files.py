"""Every bad file there is: each costs only itself, says why, and leaves the sandbox fit for the next."""

import gzip
import io
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag_engine.errors import (
    DecodingError,
    EmptySourceError,
    IngestionError,
    ParserFailureError,
    ParserMemoryError,
    ParserTimeoutError,
    ParsingError,
    SourceNotFoundError,
    SourceTooLargeError,
    UnreadableSourceError,
    UnsupportedFormatError,
)
from rag_engine.ingestion import ReadAhead, Sandbox, discover
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

SHARED_FORMATS = Path(__file__).parents[3] / "shared" / "formats"

# The parser's time grows with the square of an element's attributes.
SLOW_PAGE = f"<p {' '.join(f'a{number}=1' for number in range(60_000))}>slow"


def make_sandbox(*, timeout_seconds: float = 60, memory_megabytes: int = 512, max_file_bytes: int = 1 << 28) -> Sandbox:
    return Sandbox(
        timeout_seconds=timeout_seconds,
        memory_megabytes=memory_megabytes,
        max_file_bytes=max_file_bytes,
        limits=LoadLimits(20_000_000),
    )


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with make_sandbox() as sandbox:
        yield sandbox


def read(sandbox: Sandbox, path: Path) -> list[Document | SourceFailure]:
    with sandbox.open(path, name=path.name) as parsed:
        return list(parsed)


def assert_fit_for_the_next(sandbox: Sandbox, folder: Path) -> None:
    honest = folder / "honest.txt"
    honest.write_text("an honest text")
    assert read(sandbox, honest) == [Document("honest.txt", "an honest text")]


def exploding_pdf() -> bytes:
    """A page whose content is one deflated stream of a mebibyte, four thousand times over."""
    stream = zlib.compress(b" " * (1 << 20), 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [%s] >>" % (b"4 0 R " * 4096),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % item for item in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer << /Size 5 /Root 1 0 R >>\n%%EOF"


def page_tree_in_a_circle() -> bytes:
    kids = " ".join(["2 0 R"] * 1000)
    return (
        f"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 999999999 "
        f"/Parent 2 0 R /Kids [{kids}] >>\nendobj\ntrailer << /Size 3 /Root 1 0 R >>\n%%EOF"
    ).encode()


def zipped_bomb() -> bytes:
    return gzip.compress(gzip.compress(bytes(50_000_000)))


BAD_FILES: list[tuple[str, Callable[[], bytes], type[IngestionError]]] = [
    ("empty.txt", lambda: b"", EmptySourceError),
    ("blank.md", lambda: b" \n\n\t", EmptySourceError),
    ("program.txt", lambda: Path(sys.executable).read_bytes()[:100_000], UnsupportedFormatError),
    ("mixed.txt", lambda: "Größe und Maß – für alle ".encode() * 20 + "Fuß und Höhe".encode("cp1252"), DecodingError),
    ("nested.json", lambda: b"[" * 100_000, ParsingError),
    ("broken.pdf", lambda: b"%PDF-1.4\n" + bytes(range(256)) * 50, ParsingError),
    ("circle.pdf", page_tree_in_a_circle, IngestionError),
    ("nothing.jsonl", lambda: b"\n\n", EmptySourceError),
    ("prose.jsonl", lambda: b"this is no JSON\n" * 1000, ParsingError),
]


@pytest.mark.parametrize(("name", "content", "expected"), BAD_FILES, ids=[name for name, _, _ in BAD_FILES])
def test_a_bad_file_is_refused_with_what_why_and_the_mend(
    sandbox: Sandbox, tmp_path: Path, name: str, content: Callable[[], bytes], expected: type[IngestionError]
) -> None:
    file = tmp_path / name
    file.write_bytes(content())
    with pytest.raises(expected) as caught:
        read(sandbox, file)
    assert name in caught.value.message
    assert caught.value.hint
    assert_fit_for_the_next(sandbox, tmp_path)


def test_a_path_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="missing"):
        discover([tmp_path / "missing.txt"])


def test_a_file_deleted_after_discovery_is_unreadable(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (source,) = discover([tmp_path]).files
    source.path.unlink()
    with pytest.raises(UnreadableSourceError, match=r"a\.txt cannot be read: No such file"):
        read(sandbox, source.path)
    assert_fit_for_the_next(sandbox, tmp_path)


def test_a_file_replaced_by_a_pipe_is_not_waited_for(sandbox: Sandbox, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(UnreadableSourceError, match="no regular file"):
        read(sandbox, tmp_path / "a.txt")
    assert_fit_for_the_next(sandbox, tmp_path)


@pytest.mark.skipif(sys.platform != "linux" and os.geteuid() == 0, reason="root may read everything here")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "a.txt").chmod(0)
    program = (
        "import sys; from pathlib import Path\n"
        "from rag_engine.errors import UnreadableSourceError; from rag_engine.ingestion import Sandbox\n"
        "from rag_engine.types.ingestion import LoadLimits\n"
        "options = dict(timeout_seconds=30, memory_megabytes=512, max_file_bytes=99, limits=LoadLimits(99))\n"
        "try:\n"
        "    with Sandbox(**options) as sandbox, sandbox.open(Path(sys.argv[1]), name='a.txt'): pass\n"
        "except UnreadableSourceError as error: print(error)\n"
    )
    # Root reads everything but where a program is started without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
    if os.geteuid() == 0:
        deny = "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) for capability in (1, 2)]\n"
        arguments = ["-c", f"{deny}os.execv(sys.executable, [sys.executable, '-c', *sys.argv[1:]])", program]
    else:
        arguments = ["-c", program]
    shown = subprocess.run([sys.executable, *arguments, tmp_path / "a.txt"], capture_output=True, text=True)
    assert shown.stdout.strip() == "a.txt cannot be read: Permission denied", shown.stderr


def test_one_line_of_a_hundred_megabytes_is_refused_under_the_cap(tmp_path: Path) -> None:
    file = tmp_path / "line.txt"
    file.write_bytes(b"x" * 100_000_000)
    with make_sandbox(memory_megabytes=256) as sandbox:
        with pytest.raises(SourceTooLargeError, match="20,000,000 characters"):
            read(sandbox, file)
        assert_fit_for_the_next(sandbox, tmp_path)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.txt"
    with file.open("wb") as huge:
        huge.truncate(1 << 40)  # sparse: a tebibyte that takes no room
    with make_sandbox(max_file_bytes=1000) as sandbox:
        with pytest.raises(SourceTooLargeError, match="more than 1,000"):
            read(sandbox, file)
        assert_fit_for_the_next(sandbox, tmp_path)


def test_a_file_that_takes_more_than_the_memory_cap_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "wide.json"
    file.write_bytes(b"[" + b"[[]]," * 8_000_000 + b"1]")
    with make_sandbox(memory_megabytes=256) as sandbox:
        with pytest.raises(ParserMemoryError, match=r"wide\.json took more than 256 MB"):
            read(sandbox, file)
        assert_fit_for_the_next(sandbox, tmp_path)


def test_a_pdf_that_unpacks_to_gigabytes_is_stopped_by_a_cap(tmp_path: Path) -> None:
    file = tmp_path / "exploding.pdf"
    file.write_bytes(exploding_pdf())
    assert file.stat().st_size < 100_000
    with make_sandbox(memory_megabytes=256) as sandbox:
        with pytest.raises(ParserFailureError):
            read(sandbox, file)
        assert_fit_for_the_next(sandbox, tmp_path)


def test_a_member_of_an_archive_that_ends_its_parser_costs_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.jsonl", '{"text": "one"}\n{"text": "two"}')
        archive.writestr("slow.html", SLOW_PAGE)
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as other:
            other.writestr("before.txt", "before")
            other.writestr("exploding.pdf", exploding_pdf())
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("last.txt", "last")

    def sandbox() -> Sandbox:
        return make_sandbox(timeout_seconds=1, memory_megabytes=256)

    with ReadAhead(make_sandbox=sandbox, workers=1) as ahead:
        (records,) = [list(reading) for reading in ahead.read([(str(file), "a.zip", file.stat().st_size)])]
    assert [record.id if isinstance(record, Document) else record.source for record in records] == [
        *("a.zip/first.jsonl#1", "a.zip/first.jsonl#2", "a.zip/slow.html"),
        *("a.zip/inner.zip/before.txt", "a.zip/inner.zip/exploding.pdf", "a.zip/last.txt"),
    ]
    failures = [record for record in records if isinstance(record, SourceFailure)]
    assert failures[0].code == ParserTimeoutError.code
    assert failures[1].code in {kind.code for kind in ParserFailureError.__subclasses__()}  # whichever cap comes first


def test_a_file_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "slow.html"
    file.write_text(SLOW_PAGE)
    with (
        make_sandbox(timeout_seconds=0.5) as sandbox,
        pytest.raises(ParserTimeoutError, match=r"slow\.html took more than 0\.5 s"),
    ):
        read(sandbox, file)


def test_control_characters_and_lone_surrogates_never_reach_a_document(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\x00two\x1bthree and enough honest text around")
    (tmp_path / "b.json").write_text(r'{"text": "a\ud800b\u0000c", "title": "\udfff"}')
    (plain,) = read(sandbox, tmp_path / "a.txt")
    (escaped,) = read(sandbox, tmp_path / "b.json")
    assert isinstance(plain, Document)
    assert isinstance(escaped, Document)
    assert plain.text == "one two three and enough honest text around"
    assert (escaped.text, escaped.title) == ("a\ufffdb c", "\ufffd")


def test_bad_lines_and_duplicate_ids_cost_only_themselves(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text('{"_id": "a", "text": "one"}\n{"_id": "b", "te\n{"_id": "a", "text": "two"}\n{"text": "three"}\n')
    first, broken, duplicate, last = read(sandbox, file)
    assert first == Document("a", "one")
    assert last == Document("corpus.jsonl#4", "three")
    assert isinstance(broken, SourceFailure)
    assert isinstance(duplicate, SourceFailure)
    assert (broken.source, broken.code) == ("corpus.jsonl:2", "parsing")
    assert (duplicate.source, duplicate.code) == ("corpus.jsonl:3", "duplicate_document")


def test_names_of_any_bytes_can_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/\xff\n.txt"
    with open(raw, "wb") as file:  # noqa: PTH123
        file.write(b"text")
    with sandbox.open(Path(os.fsdecode(raw)), name="safe name") as parsed:
        assert list(parsed) == [Document("safe name", "text")]


@pytest.mark.parametrize("name", ["bomb.md", "bomb.pdf", "bomb.zip"])
def test_a_zip_bomb_is_refused_before_it_grows_whatever_it_is_called(
    sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(zipped_bomb())
    (failure,) = read(sandbox, tmp_path / name)
    assert isinstance(failure, SourceFailure)
    assert failure.code == SourceTooLargeError.code
    assert_fit_for_the_next(sandbox, tmp_path)


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED_FORMATS.is_dir(), reason="needs the data folder ../shared")
def test_every_real_file_well_formed_or_hostile_is_read_or_refused(sandbox: Sandbox) -> None:
    files = [source.path for source in discover([SHARED_FORMATS]).files]
    outcomes = set()
    for file in files:
        try:
            outcomes.update(type(record).__name__ for record in read(sandbox, file))
        except IngestionError as error:
            outcomes.add(error.code if file.name in error.message else f"{error.code} without the name of {file}")
    assert outcomes >= {"Document", "parsing", "empty_source", "decoding", "unsupported_format"}
    assert outcomes <= {
        *("Document", "SourceFailure", "parsing", "empty_source", "decoding", "unsupported_format"),
        *("encrypted", "source_too_large"),
    }


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED_FORMATS.is_dir(), reason="needs the data folder ../shared")
def test_json_is_accepted_and_refused_as_the_conformance_suite_says(sandbox: Sandbox) -> None:
    for file in sorted((SHARED_FORMATS / "json").glob("JSONTestSuite__*.json")):
        verdict = file.name.split("__")[1][0]
        try:
            read(sandbox, file)
        except EmptySourceError:
            assert verdict in "yi", file.name
        except (ParsingError, DecodingError):
            assert verdict in "ni", file.name
        else:
            assert verdict in "yi", file.name
