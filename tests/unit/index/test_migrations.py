"""The catalog's schema grows by migrations that are never changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from rag_engine.index import Catalog
from rag_engine.index.catalog.connection import SCHEMA
from rag_engine.index.migrations import migrations

# A migration that was released is never altered: users' catalogs have it already.
RELEASED = ["m001_documents", "m002_file_status"]


def schema(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("select sql from sqlite_master where sql is not null")]


def test_released_migrations_come_first_and_in_order(tmp_path: Path) -> None:
    Catalog.create(tmp_path / "catalog.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        applied = [row[0] for row in connection.execute("select name from _sqlite_migrations order by rowid")]
    assert applied[: len(RELEASED)] == RELEASED
    assert migrations.name == "rag_engine.catalog"


def test_opening_an_up_to_date_catalog_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    Catalog.create(path).close()
    before = schema(path)
    Catalog(path).close()
    assert schema(path) == before


def test_the_connection_knows_this_versions_migrations() -> None:
    known = migrations.pending(Database(memory=True))
    assert tuple(sorted(migration.name for migration in known)) == SCHEMA
