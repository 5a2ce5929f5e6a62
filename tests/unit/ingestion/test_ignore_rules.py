"""What .ragignore files and given patterns leave out: what git would."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from rag_engine.errors import UnreadableSourceError, UsageError
from rag_engine.ingestion import discover

TREE = (
    "a.md", "a.log", "keep.log", "build/x.md", "build/deep/y.md", "docs/a.md", "docs/build/z.md", "docs/notes.txt",
    "docs/sub/a.md", "docs/sub/b.log", "docs/sub/more/c.md", "top", "docs/top", "space name .md", "#hash.md",
    "!bang.md", "keep/a.md", "keep/b.txt", "docs/[x].md", "Größe.md",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    place = tmp_path / "tree"
    for name in TREE:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("text")
    return place


def found(*asked: Path | str, tree: Path, **options: list[str]) -> set[str]:
    return {str(file.path.relative_to(tree)) for file in discover([*asked], **options).files}


@pytest.mark.skipif(shutil.which("git") is None, reason="git, which says what is right, is not installed")
@pytest.mark.parametrize(
    "rules",
    [
        {"": ["*.log", "!keep.log"]},
        {"": ["build/"]},
        {"": ["build"]},
        {"": ["/build", "/top"]},
        {"": ["docs/**/*.md"]},
        {"": ["**/sub"]},
        {"": ["docs/*.md"]},
        {"": ["*", "!keep/", "!keep/**"]},
        {"": ["*", "!*/", "!*.md"]},
        {"": ["docs/sub/", "!docs/sub/a.md"]},
        {"": ["\\#hash.md", "\\!bang.md", "# a comment", ""]},
        {"": ["space name .md", "trailing   "]},
        {"": ["docs/\\[x\\].md", "a.[lm]?*"]},
        {"": ["Gr*.md"]},
        {"": ["*.md"], "docs": ["!a.md"]},
        {"": ["*.md"], "docs": ["!*.md"], "docs/sub": ["a.md", "more"]},
        {"docs": ["/a.md", "sub/*.log"]},
        {"docs/sub": ["*", "!more"]},
        {"": ["*", "!keep/"]},
        {"": ["[ab].md", "[!k]*.log", "docs/[[:alpha:]].md"]},
        {"": ["d?cs", "**/more/**", "/**/x.md"]},
        {"": ["a.md/", "docs/", "!docs/"]},
        {"": ["*.md", "!/docs/**"]},
        {"": ["*e*p*.t*t", "**/d*s/**/*a*.md", "docs/[[:punct:]]x[[:punct:]].md", "space[[:space:]]name*"]},
        {"": ["docs/**/**"]},
        {"": ["**/docs/**/sub/**/c.*", "/**/build/**/y.md", "d*/s*b/*.md"]},
        {"": ["docs/**/more", "s*p", "**.log"]},
    ],
    ids=str,
)
def test_rules_leave_out_what_git_leaves_out(tree: Path, rules: dict[str, list[str]]) -> None:
    for folder, lines in rules.items():
        for name in (".ragignore", ".gitignore"):
            (tree / folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard", "--", ":!.*", ":!**/.*"],
        cwd=tree, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert found(tree, tree=tree) == set(listed.split("\0")) - {""}


def test_rules_of_the_folders_above_hold_too(tree: Path) -> None:
    (tree / ".ragignore").write_text("*.log\n/docs/sub/more\n")
    assert found(tree / "docs/sub", tree=tree) == {"docs/sub/a.md"}


def test_what_is_named_itself_is_taken_though_rules_leave_it_out(tree: Path) -> None:
    (tree / ".ragignore").write_text("build\n*.log\n")
    assert found(tree / "a.log", tree / "build", tree=tree) == {"a.log", "build/x.md", "build/deep/y.md"}


def test_what_a_pattern_matches_is_not_named_itself(tree: Path) -> None:
    (tree / ".ragignore").write_text("build\n")
    (tree / "docs/.ragignore").write_text("sub/more\n")
    assert found(str(tree / "**/*.md"), tree=tree) == {
        "a.md", "docs/a.md", "docs/sub/a.md", "docs/[x].md", "keep/a.md", "space name .md", "#hash.md", "!bang.md",
        "Größe.md",
    }  # fmt: skip
    assert found(str(tree / "b*"), tree=tree) == set()


def test_given_patterns_are_seen_from_the_folder_and_exclude_has_the_last_word(tree: Path) -> None:
    (tree / ".ragignore").write_text("!keep.log\n")
    assert found(tree / "docs", tree=tree, include=["/a.md", "sub/"]) == {
        "docs/a.md", "docs/sub/a.md", "docs/sub/b.log", "docs/sub/more/c.md",
    }  # fmt: skip
    assert found(tree, tree=tree, include=["*.log"], exclude=["docs/", "*.log", "!a.log"]) == {"a.log"}
    assert found(tree / "a.log", tree / "a.md", tree=tree, exclude=["*.log"]) == {"a.md"}
    assert found(str(tree / "docs/**/*.md"), tree=tree, exclude=["/sub"]) == {
        "docs/a.md", "docs/build/z.md", "docs/[x].md",
    }  # fmt: skip


def test_what_rules_left_out_is_known_and_nothing_else(tree: Path) -> None:
    (tree / ".ragignore").write_text("build/\na.log\n")
    discovery = discover([tree])
    for name in ("a.log", "build/x.md", "build/deep/y.md", "build/gone.md", "docs/build/z.md"):
        assert discovery.leaves_out(tree / name)
    for name in ("a.md", "buildings/x.md", "docs/a.log2"):
        assert not discovery.leaves_out(tree / name)


def test_a_folder_whose_rules_cannot_be_used_is_not_looked_into(tree: Path) -> None:
    (tree / "docs/.ragignore").write_text("*.tmp\n!\n")
    discovery = discover([tree])
    assert not any("docs" in file.path.parts for file in discovery.files)
    (failure,) = discovery.failures
    assert "'!' is no pattern" in failure.error
    with pytest.raises(UnreadableSourceError, match="is no pattern"):
        discover([tree / "docs"])


@pytest.mark.parametrize("pattern", ["!", "end\\", "[z-a]"])
def test_a_given_pattern_that_is_none_is_wrong_usage(tree: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="is no pattern"):
        discover([tree], exclude=[pattern])


def test_a_folder_that_holds_nothing_but_what_is_left_out_is_no_error(tree: Path) -> None:
    (tree / ".ragignore").write_text("*\n")
    assert discover([tree]).files == []


def test_folders_that_are_none_of_the_users_are_passed_over(tree: Path) -> None:
    assert "docs/a.md" not in found(tree, tree=tree, passed_over=[str(tree / "docs")])


def test_many_wildcards_and_a_long_name_take_no_time(tree: Path) -> None:
    (tree / ("a" * 200)).write_text("text")
    (tree / ".ragignore").write_text("*a*a*a*a*a*a*a*a*a*a*b\n**/a/**/a/**/b\n x" + " " * 100_000 + "y\n")
    begun = time.process_time()
    assert "a.md" in found(tree, tree=tree)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_what_is_no_file_of_patterns_is_reported_and_not_waited_for(tree: Path, kind: str) -> None:
    rules = tree / "docs" / ".ragignore"
    if kind == "pipe":
        os.mkfifo(rules)
    elif kind == "device":
        rules.symlink_to("/dev/zero")
    else:
        rules.write_bytes(b"#" * (2 << 20))
    (failure,) = discover([tree]).failures
    assert failure.code == "unreadable_source"
