"""Bounded reading of ZIP archives."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from rag_engine.errors import EncryptedSourceError, ParsingError, SourceTooLargeError, UnsupportedFormatError
from rag_engine.ingestion.loaders.zip_members import ZipMembers


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def test_files_are_read_by_name_in_the_order_of_the_directory_and_folders_left_out() -> None:
    archive = ZipMembers(_zip(("b/two.txt", b"two"), ("folder/", b""), ("one.txt", b"one")), name="a.zip")
    assert archive.names == ["b/two.txt", "one.txt"]
    assert archive.read("one.txt") == b"one"
    assert archive.total_bytes == 6
    assert "b/two.txt" in archive
    assert "folder/" not in archive


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_of_two_members_with_one_name_the_last_counts() -> None:
    archive = ZipMembers(_zip(("a.txt", b"old"), ("a.txt", b"new")), name="a.zip")
    assert archive.names == ["a.txt", "a.txt"]
    assert archive.read("a.txt") == b"new"
    assert archive.read(archive.members[0]) == b"old"


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(ParsingError, match=r"a\.zip is no readable ZIP archive"):
        ZipMembers(b"PK\x03\x04 nothing more", name="a.zip")


def test_a_damaged_member_is_refused_and_the_others_are_read() -> None:
    data = bytearray(_zip(("a.txt", b"first"), ("b.txt", b"second"), method=zipfile.ZIP_STORED))
    data[data.index(b"first")] ^= 1
    archive = ZipMembers(bytes(data), name="a.zip")
    with pytest.raises(ParsingError, match=r"a\.zip/a\.txt is damaged: Bad CRC-32"):
        archive.read("a.txt")
    assert archive.read("b.txt") == b"second"


def test_a_member_that_is_not_there_is_named() -> None:
    with pytest.raises(ParsingError, match=r"a\.zip holds no b\.txt"):
        ZipMembers(_zip(("a.txt", b"")), name="a.zip").read("b.txt")


def test_a_member_that_inflates_beyond_measure_is_refused_before_it_is_inflated() -> None:
    archive = ZipMembers(_zip(("zeros.txt", bytes(9 << 20)), ("a.txt", b"text")), name="a.zip")
    with pytest.raises(SourceTooLargeError, match="may be a bomb"):
        archive.read("zeros.txt")
    assert archive.read("a.txt") == b"text"


def test_what_is_read_counts_together() -> None:
    archive = ZipMembers(_zip(("a.txt", b"12345"), ("b.txt", b"67890")), name="a.zip", max_bytes=9)
    assert archive.read("a.txt") == b"12345"
    with pytest.raises(SourceTooLargeError, match="inflates to more than 9 bytes"):
        archive.read("b.txt")


def test_too_many_members_are_refused_whatever_number_the_archive_says() -> None:
    data = bytearray(_zip(*((f"{number}.txt", b"") for number in range(12))))
    end = data.rindex(b"PK\x05\x06")
    data[end + 8 : end + 12] = struct.pack("<2H", 1, 1)
    with pytest.raises(SourceTooLargeError, match="more than 10 members"):
        ZipMembers(bytes(data), name="a.zip", max_members=10)


def test_members_that_overlap_are_refused() -> None:
    """As in David Fifield's bomb: many entries of the directory point to the same bytes."""
    data = _zip(("a.txt", bytes(range(256)) * 8), method=zipfile.ZIP_STORED)
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry, closing = data[start:end], bytearray(data[end:])
    struct.pack_into("<2HL", closing, 8, 3, 3, 3 * len(entry))
    with pytest.raises(SourceTooLargeError, match="overlap"):
        ZipMembers(data[:start] + 3 * entry + bytes(closing), name="a.zip")


def test_a_method_other_than_deflate_is_refused() -> None:
    archive = ZipMembers(_zip(("a.txt", b"text"), method=zipfile.ZIP_LZMA), name="a.zip")
    with pytest.raises(UnsupportedFormatError, match="method 14"):
        archive.read("a.txt")


def _encrypted(name: str, text: bytes, password: bytes) -> bytes:
    """A stored member under the traditional encryption (APPNOTE 6.1), which no library of ours writes."""
    table = [_crc_of_byte(value) for value in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = keys[0] >> 8 ^ table[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = keys[2] >> 8 ^ table[(keys[2] ^ keys[1] >> 24) & 0xFF]

    for byte in password:
        update(byte)
    sealed = bytearray()
    for byte in bytes(11) + bytes([zlib.crc32(text) >> 24]) + text:
        mask = keys[2] | 2
        sealed.append(byte ^ (mask * (mask ^ 1) >> 8 & 0xFF))
        update(byte)
    data = bytearray(_zip((name, bytes(sealed)), method=zipfile.ZIP_STORED))
    directory = data.index(b"PK\x01\x02")
    for flags, checksum, size in ((6, 14, 22), (directory + 8, directory + 16, directory + 24)):
        data[flags] |= 1
        struct.pack_into("<L", data, checksum, zlib.crc32(text))
        struct.pack_into("<L", data, size, len(text))
    return bytes(data)


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value


def test_an_encrypted_member_is_read_with_whichever_password_opens_it() -> None:
    data = _encrypted("secret.txt", b"the secret", b"foo")
    archive = ZipMembers(data, name="a.zip", passwords=("bar", "foo"))
    assert archive.members[0].encrypted
    assert archive.read("secret.txt") == b"the secret"


@pytest.mark.parametrize("passwords", [(), ("bar", "baz")])
def test_an_encrypted_member_without_its_password_is_refused(passwords: tuple[str, ...]) -> None:
    archive = ZipMembers(_encrypted("secret.txt", b"the secret", b"foo"), name="a.zip", passwords=passwords)
    with pytest.raises(EncryptedSourceError, match=r"a\.zip/secret\.txt is encrypted"):
        archive.read("secret.txt")


def test_names_without_a_mark_are_read_in_the_encoding_that_fits() -> None:
    name = "доклад о работе библиотеки за прошлый год и планы на будущий.txt"
    data = _zip(("x" * len(name.encode("cp866")), b"text")).replace(
        b"x" * len(name.encode("cp866")), name.encode("cp866")
    )
    assert ZipMembers(data, name="a.zip").names == [name]


def test_names_too_short_to_tell_are_read_in_the_standard_code_page() -> None:
    data = _zip(("xxxx1.txt", b"text")).replace(b"xxxx1", "文章1".encode("cp932"))
    assert ZipMembers(data, name="a.zip").names == ["文章1.txt".encode("cp932").decode("cp437")]
