import io
import random
from pathlib import Path

import msoffcrypto.format.ooxml
import pytest

from rag_engine.errors import EncryptedSourceError, ParsingError
from rag_engine.ingestion import loader_versions, select_loader
from rag_engine.ingestion.loaders import encrypted_office
from rag_engine.ingestion.sandbox import Sandbox
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import compound_file, docx, zipped

BODY = "<w:p><w:r><w:t>behind the lock</w:t></w:r></w:p>"


def encrypted(password: str) -> bytes:
    data = io.BytesIO()
    # What is smaller than 4,096 bytes the library encrypts so that it cannot be read again.
    noise = random.Random(0).randbytes(5000).hex()
    document = docx(BODY, core=f"<dc:identifier>{noise}</dc:identifier>")
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(document)).encrypt(password, data)
    return data.getvalue()


def load(data: bytes, *passwords: str) -> str:
    (document,) = select_loader("n.docx", data).load(data, name="n.docx", limits=LoadLimits(10**6, passwords))
    assert isinstance(document, Document)
    return document.text


def test_the_first_password_that_fits_opens_a_document() -> None:
    data = encrypted("right")
    assert select_loader("n.docx", data).name == "encrypted_office"
    assert load(data, "wrong", "right") == "behind the lock"


def test_without_its_password_a_document_is_said_to_be_encrypted_and_no_password_is_told() -> None:
    with pytest.raises(EncryptedSourceError) as caught:
        load(encrypted("right"), "secret")
    assert "secret" not in str(caught.value) + caught.value.hint


def test_the_password_that_excel_tries_itself_needs_not_be_given() -> None:
    assert load(encrypted("VelvetSweatshop")) == "behind the lock"


def test_damaged_encryption_is_refused() -> None:
    with pytest.raises(ParsingError):
        load(compound_file({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}), "right")


def test_the_version_moves_with_that_of_what_is_decrypted() -> None:
    versions = loader_versions()
    assert versions["encrypted_office"] > versions["docx"] + versions["pptx"]


def test_the_sandbox_forbids_nothing_that_decryption_needs(tmp_path: Path) -> None:
    path = tmp_path / "n.docx"
    path.write_bytes(encrypted("right"))
    limits = LoadLimits(10**6, ("wrong", "right"))
    with (
        Sandbox(timeout_seconds=60, memory_megabytes=1024, max_file_bytes=1 << 30, limits=limits) as sandbox,
        sandbox.open(path, name="n.docx") as source,
    ):
        (document,) = source
    assert isinstance(document, Document)
    assert document.text == "behind the lock"


def test_an_archive_behind_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # It would have an allowance of its own, in any number of archives within each other.
    monkeypatch.setattr(encrypted_office, "opened_with_passwords", lambda *_, **__: zipped({"a.txt": "text"}))
    with pytest.raises(ParsingError, match="holds none"):
        load(encrypted("right"))
