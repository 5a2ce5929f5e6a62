"""Archives of every kind: each member a document, each failure a member's own, and bombs worth nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import time
import zipfile
from collections.abc import Callable

import pytest

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.containers import member_path
from rag_engine.ingestion.loaders.selection import select_loader
from rag_engine.ingestion.loaders.zip_members import MAX_MEMBERS, ZipMembers
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def load(name: str, data: bytes, **limits: int) -> list[Document | SourceFailure]:
    loader = select_loader(name, data)
    return list(loader.load(data, name=name, limits=LoadLimits(10_000, **limits)))


def texts(records: list[Document | SourceFailure]) -> dict[str, str]:
    return {record.id: record.text for record in records if isinstance(record, Document)}


def failures(records: list[Document | SourceFailure]) -> dict[str, str]:
    return {record.source: record.code for record in records if isinstance(record, SourceFailure)}


PACKERS: dict[str, Callable[..., bytes]] = {
    "a.zip": zipped,
    "a.tar": tarred,
    "a.tar.gz": lambda *members: gzip.compress(tarred(*members)),
    "a.tgz": lambda *members: gzip.compress(tarred(*members)),
    "a.tar.bz2": lambda *members: bz2.compress(tarred(*members)),
    "a.tar.xz": lambda *members: lzma.compress(tarred(*members)),
}


@pytest.mark.parametrize("name", PACKERS)
def test_each_member_is_read_by_what_it_is_and_a_broken_one_costs_only_itself(name: str) -> None:
    members = [
        ("notes/a.md", b"# Title\n\nText."),
        ("broken.json", b"{"),
        ("image.png", b"\x89PNG\r\n\x1a\n" + bytes(50)),
        ("rows.jsonl", b'{"text": "one"}\nbroken\n{"text": "three"}'),
        ("b.txt", b"last"),
    ]
    records = load(name, PACKERS[name](*members))
    assert texts(records) == {
        f"{name}/notes/a.md": "# Title\n\nText.",
        f"{name}/rows.jsonl#1": "one",
        f"{name}/rows.jsonl#3": "three",
        f"{name}/b.txt": "last",
    }
    assert failures(records) == {
        f"{name}/broken.json": "parsing",
        f"{name}/image.png": "unsupported_format",
        f"{name}/rows.jsonl:2": "parsing",
    }


@pytest.mark.parametrize(
    ("name", "compress"), [("log.txt.gz", gzip.compress), ("log.txt.bz2", bz2.compress), ("log.txt.xz", lzma.compress)]
)
def test_a_compressed_file_is_a_document_below_it(name: str, compress: Callable[[bytes], bytes]) -> None:
    assert texts(load(name, compress(b"one") + compress(b" and two"))) == {f"{name}/content.txt": "one and two"}


def test_archives_in_archives_are_read_to_their_depth() -> None:
    data = zipped(("d.txt", b"deepest"))
    data = zipped(("c.zip", data), ("c.txt", b"deeper"))
    data = gzip.compress(tarred(("b.zip", data), ("b.txt", b"deep")))
    assert texts(load("a.tgz", data)) == {
        "a.tgz/b.zip/c.zip/d.txt": "deepest",
        "a.tgz/b.zip/c.txt": "deeper",
        "a.tgz/b.txt": "deep",
    }
    records = load("a.tgz", data, max_depth=2)
    assert texts(records) == {"a.tgz/b.zip/c.txt": "deeper", "a.tgz/b.txt": "deep"}
    assert failures(records) == {"a.tgz/b.zip/c.zip": "source_too_large"}


def test_without_any_depth_archives_are_refused() -> None:
    with pytest.raises(SourceTooLargeError) as caught:
        load("a.zip", zipped(("a.txt", b"text")), max_depth=0)
    assert "ingestion.archive_depth" in caught.value.hint


def test_all_that_lies_in_one_source_shares_its_bytes() -> None:
    inner = zipped(("a.txt", b"12345"), ("b.txt", b"67890"))
    records = load("a.zip", zipped(("one.zip", inner), ("c.txt", b"123")), max_unpacked_bytes=len(inner) + 8)
    assert texts(records) == {"a.zip/one.zip/a.txt": "12345", "a.zip/c.txt": "123"}
    assert failures(records) == {"a.zip/one.zip/b.txt": "source_too_large"}


def test_over_the_number_of_members_the_first_that_is_left_out_is_named() -> None:
    records = load("a.tar", tarred(*((f"{n}.txt", b"text") for n in range(5))), max_members=3)
    assert list(texts(records)) == ["a.tar/0.txt", "a.tar/1.txt", "a.tar/2.txt"]
    assert failures(records) == {"a.tar/3.txt": "source_too_large"}


def test_more_members_than_an_office_file_has_are_no_obstacle_to_an_archive() -> None:
    entry = "PK\x01\x02"  # an entry's mark in the directory, by which entries are counted
    names = [f"{number}{entry * (MAX_MEMBERS // 2)}.txt" for number in range(2)]
    assert len(texts(load("a.zip", zipped(*((name, b"x") for name in names))))) == 2


def test_hidden_files_links_and_the_shadows_of_macos_are_passed_over() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in ((".env", tarfile.REGTYPE), ("link.txt", tarfile.SYMTYPE), ("device", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        for name in ("__MACOSX/a.txt", "folder/.git/config", "a.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            archive.addfile(entry, io.BytesIO(b"text"))
    assert texts(load("a.tar", file.getvalue())) == {"a.tar/a.txt": "text"}


def test_an_archive_without_files_is_empty() -> None:
    with pytest.raises(EmptySourceError, match=r"a\.zip holds no files"):
        load("a.zip", zipped(("folder/", b""), (".DS_Store", b"x")))


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_second_member_of_the_same_name_is_reported() -> None:
    records = load("a.zip", zipped(("a.txt", b"one"), ("./a.txt", b"two")))
    assert texts(records) == {"a.zip/a.txt": "one"}
    assert failures(records) == {"a.zip/a.txt": "duplicate_document"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/root.txt", "root.txt"),
        ("a\\b\\c.txt", "a/b/c.txt"),
        ("a//./b.txt", "a/b.txt"),
        ("line\nbreak \x1b[2J.txt", "line break [2J.txt"),
        ("caf\udce9.txt", "caf\\udce9.txt"),
        ("..", "unnamed"),
    ],
)
def test_names_are_labels_that_lead_nowhere(name: str, path: str) -> None:
    assert member_path(name) == path


@pytest.mark.parametrize("cut", [600, 1100, 1600])
def test_a_tar_archive_that_is_cut_off_gives_what_it_holds_and_a_failure(cut: int) -> None:
    data = tarred(("a.txt", b"first"), ("b.txt", b"x" * 1000), form=tarfile.USTAR_FORMAT)
    assert failures(load("a.tar", data[:cut]))


def test_damage_between_the_members_of_a_tar_archive_is_told() -> None:
    data = bytearray(tarred(("a.txt", b"first"), ("b.txt", b"second"), form=tarfile.USTAR_FORMAT))
    data[1024:1034] = b"\xff" * 10
    records = load("a.tar", bytes(data))
    assert texts(records) == {"a.tar/a.txt": "first"}
    (failure,) = [record for record in records if isinstance(record, SourceFailure)]
    assert "from byte 1,024 on" in failure.error


def test_a_tar_member_of_negative_size_ends_the_archive() -> None:
    """As in CVE-2025-8194, where the next header lies before this one for ever."""
    data = bytearray(tarred(("a.txt", b"first"), form=tarfile.USTAR_FORMAT) * 2)
    data[124:136] = b"\xff" * 10 + b"\xfc\x00"
    header = bytes(data[:148]) + b" " * 8 + bytes(data[156:512])
    data[148:156] = b"%06o\0 " % sum(header)
    assert texts(load("a.tar", bytes(data))) == {}


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("damage", ["cut", "flipped", "followed"])
def test_a_damaged_compressed_file_is_refused(compress: Callable[[bytes], bytes], damage: str) -> None:
    data = bytearray(compress(b"some text that is compressed, long enough to be damaged in the middle"))
    if damage == "cut":
        del data[-9:]
    elif damage == "flipped":
        data[len(data) // 2] ^= 0xFF
    else:
        data += b"something else"
    with pytest.raises(ParsingError):
        load("a.txt.gz", bytes(data))


def test_zeros_behind_a_compressed_file_are_padding() -> None:
    assert texts(load("a.txt.gz", gzip.compress(b"text") + bytes(512))) == {"a.txt.gz/content.txt": "text"}


def test_a_large_compressed_file_is_read_whole() -> None:
    text = "".join(f"line {number}\n" for number in range(200_000)).encode()
    loader = select_loader("a.txt.gz", data := gzip.compress(text, 1))
    (document,) = loader.load(data, name="a.txt.gz", limits=LoadLimits(10_000_000))
    assert isinstance(document, Document)
    assert document.text.encode() == text


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(bytes(64 << 20), 6),
        bz2.compress(bytes(64 << 20)),
        lzma.compress(bytes(64 << 20), preset=0),
        gzip.compress(gzip.compress(bytes(64 << 20))),
        zipped(("zeros.txt", bytes(64 << 20))),
    ],
    ids=["gzip", "bzip2", "xz", "gzip twice", "zip"],
)
def test_a_bomb_is_refused_before_it_goes_off(data: bytes) -> None:
    started = time.process_time()
    try:
        codes = set(failures(load("bomb", data)).values())
    except SourceTooLargeError as error:
        codes = {error.code}
    assert codes == {"source_too_large"}
    assert time.process_time() - started < 0.5


def test_an_archive_that_holds_itself_ends_there(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped(("a.zip", b"PK\x03\x04"), ("a.txt", b"text"))
    # Real ones, such as Russ Cox's (research.swtch.com/zip), are a science; their readers see what this one sees.
    monkeypatch.setattr(ZipMembers, "read", lambda _, member: data if member.name == "a.zip" else b"text")
    records = load("a.zip", data)
    assert texts(records) == {"a.zip/a.txt": "text"}
    assert [record.error for record in records if isinstance(record, SourceFailure)] == ["a.zip/a.zip holds itself"]


def test_equal_archives_beside_each_other_are_both_read() -> None:
    inner = zipped(("a.txt", b"text"))
    records = load("a.zip", zipped(("b.zip", inner), ("c.zip", inner)))
    assert list(texts(records)) == ["a.zip/b.zip/a.txt", "a.zip/c.zip/a.txt"]


def test_a_sparse_file_that_is_nearly_all_holes_is_a_bomb() -> None:
    entry = tarfile.TarInfo("holes.txt")
    entry.type, entry.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 512)
    header[483:495] = b"%011o\0" % 900_000_000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bytes(header) + b"a" * 512 + bytes(1024)
    (record,) = select_loader("a.tar", data).load(data, name="a.tar", limits=LoadLimits(1000))
    assert isinstance(record, SourceFailure)
    assert record.code == "source_too_large"
