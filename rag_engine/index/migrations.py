"""The catalog's schema, as migrations: append only, each committed together with its record."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from rag_engine.errors import NewerFormatError

migrations = Migrations("rag_engine.catalog")


@migrations()
def m001_documents(database: Database) -> None:
    """Documents, their chunks and vectors, the sources they came from, and the commits that brought them."""
    database.table("meta").create({"key": str, "value": str}, pk="key", not_null={"value"})
    # One row a commit; numbers are never used twice, so that a cache can say what it reflects.
    database.execute("create table commits (number integer primary key autoincrement, created text not null)")
    database.table("sources").create(
        {
            "path": str,
            # The id that the source's document has, or the stem of its documents' ids.
            "name": str,
            "sha256": str,
            "size": int,
            "loader": str,
            "loader_version": int,
            # 0 while documents of the source are still coming in: such a source is read again.
            "complete": int,
        },
        pk="path",
        not_null={"complete"},
    )
    database.table("sources").create_index(["sha256"])
    # Numbers of documents and chunks are never used twice either: a cache that is behind must not mistake one.
    database.execute(
        "create table documents (number integer primary key autoincrement, id text not null unique, source text, "
        "title text not null, text text not null, metadata text not null, blocks text not null, pages text not null, "
        "digest text not null, text_digest text not null, added_commit integer not null)"
    )
    database.table("documents").create_index(["source"])
    database.execute(
        "create table vectors (number integer primary key, key blob not null unique, vector blob not null)"
    )
    database.execute(
        "create table chunks (number integer primary key autoincrement, "
        "document integer not null references documents(number), ordinal integer not null, "
        "start integer not null, end integer not null, heading_path text not null, tokens integer not null, "
        "vector integer not null references vectors(number), added_commit integer not null)"
    )
    database.table("chunks").create_index(["document", "ordinal"])
    database.table("chunks").create_index(["added_commit"])
    database.table("chunks").create_index(["vector"])
    database.execute("create table removed_chunks (number integer primary key, removed_commit integer not null)")
    database.table("removed_chunks").create_index(["removed_commit"])
    database.table("canaries").create({"text": str, "vector": bytes}, pk="text", not_null={"vector"})
    database.table("quarantine").create(
        {
            "source": str,
            "sha256": str,
            "loader_versions": str,
            "code": str,
            "error": str,
            "hint": str,
            "first_failed": str,
            "last_failed": str,
            "attempts": int,
        },
        pk="source",
        not_null={"code", "error", "hint", "first_failed", "last_failed", "attempts"},
    )


@migrations()
def m002_file_status(database: Database) -> None:
    """How each source's folder knew the file when it was read, so that an unchanged one need not be hashed."""
    for column in ("modified", "changed", "inode"):
        database.execute(f"alter table sources add column {column} integer")


@migrations()
def m003_copies_and_near_duplicates(database: Database) -> None:
    """Which files are copies of another one, and which documents are nearly the same as another one."""
    # The path of the source that has the documents of both; null for one that has its own.
    database.execute("alter table sources add column same_as text")
    database.table("sources").create_index(["same_as"])
    # ``leader`` is the number of the earlier document that this one is nearly the same as, ``similarity`` how nearly.
    database.execute(
        "create table sketches (document integer primary key, sketch blob not null, leader integer, similarity real)"
    )
    database.execute("create index idx_sketches_leader on sketches (leader) where leader is not null")
    database.execute(
        "create table sketch_bands (band integer not null, document integer not null, primary key (band, document)) "
        "without rowid"
    )
    # Documents that are new or changed, or whose neighbours are: the end of an ingest compares them.
    database.execute("create table uncompared (document integer primary key)")
    database.execute("insert into uncompared select number from documents")


@migrations()
def m004_truncations_and_suspicions(database: Database) -> None:
    """What loaders left out of each document, and which documents hold something suspicious."""
    database.execute(
        "create table truncations (document integer not null references documents(number), stage text not null, "
        "what text not null, kept integer not null, total integer not null)"
    )
    database.table("truncations").create_index(["document"])
    # Few documents are in it, so that they are found without a look at the others. Looked for as text: metadata that
    # are damaged must not keep a row from being mended.
    database.execute(
        "create index suspicious_documents on documents (id) "
        """where instr(metadata, '"suspicious": [{"kind": "') > 0"""
    )


@migrations()
def m005_names_of_documents(database: Database) -> None:
    """Documents by what they are called: their title, without what stands in brackets behind it."""
    database.execute(
        "create index documents_by_name on documents (substr(title, 1, instr(title || ' (', ' (') - 1)) "
        "where length(title) between 1 and 200"
    )


def migrate(database: Database) -> None:
    """Brings the schema up to date.

    Raises:
        NewerFormatError: a later version of the engine has migrated it further.
    """
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    newer = sorted(migration.name for migration in migrations.applied(database) if migration.name not in known)
    if newer:
        raise NewerFormatError(f"the catalog was written by a later version of rag_engine (it has {', '.join(newer)})")
    if migrations.pending(database):
        migrations.apply(database)
