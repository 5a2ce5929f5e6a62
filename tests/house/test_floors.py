"""The house keeps its shape: arrows point down, fences hold, nothing goes round in circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rag_engine"
MODULES = sorted(PACKAGE.rglob("*.py"))

GROUND = {"types", "protocols", "errors", "error_handler", "tracing", "token_counter", "config"}
ROOMS = {
    "ingestion",
    "semantic_chunking",
    "embedding",
    "index",
    "query_optimizer",
    "context_retrieval",
    "prompt_engineering",
    "llm",
    "ledger",
    "evaluation",
}
JOBS, ASSEMBLY, DOORS = {"jobs"}, {"assembly", "engine"}, {"cli", "server"}
# What a module of each floor may import of the package, besides its own room.
BELOW = {
    **dict.fromkeys(GROUND, GROUND),
    **dict.fromkeys(ROOMS, GROUND - {"config"}),
    **dict.fromkeys(JOBS, GROUND - {"config"} | ROOMS),
    **dict.fromkeys(ASSEMBLY, GROUND | ROOMS | JOBS | ASSEMBLY),
    **dict.fromkeys(DOORS, GROUND | ROOMS | ASSEMBLY),
}
FENCES = {
    "faiss": ("index/dense",),
    "tantivy": ("index/lexical",),
    "sqlite3": ("index/catalog", "index/migrations", "ledger"),
    "sqlite_utils": ("index/catalog", "index/migrations", "ledger"),
    "torch": ("embedding", "context_retrieval/rerank"),
    "sentence_transformers": ("embedding", "context_retrieval/rerank"),
    "transformers": ("embedding", "context_retrieval/rerank"),
    "onnxruntime": ("embedding", "context_retrieval/rerank"),
    "openvino": ("embedding", "context_retrieval/rerank"),
    "h11": ("llm/transport",),
    "httpx": (),  # what llm/transport is measured against
    "tiktoken": ("token_counter",),
    "typer": ("cli",),
    "rich": ("cli",),
    "pydantic": ("config",),
    "ir_measures": ("evaluation",),
    "watchfiles": ("jobs/watch",),
}


def place(module: Path) -> str:
    """``index/dense`` for rag_engine/index/dense.py."""
    return module.relative_to(PACKAGE).with_suffix("").as_posix().removesuffix("/__init__")


def room(module: Path) -> str:
    return place(module).split("/")[0]


def imports(module: Path, *, at_run_time: bool = False) -> Iterator[str]:
    """Full names of imported modules, those within functions too; without those only for type checkers on request."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if at_run_time:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                skipped.update(child for statement in node.body for child in ast.walk(statement))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield within if is_module(within) else node.module or ""


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def names(paths: list[Path]) -> list[str]:
    return [place(path) for path in paths]


@pytest.mark.parametrize("module", MODULES, ids=names(MODULES))
def test_a_module_imports_its_own_room_and_what_lies_below(module: Path) -> None:
    here = room(module)
    if here == "__init__":
        return  # the package's front names everything, lazily
    allowed = BELOW[here] | {here}
    for name in imports(module):
        if name.startswith("rag_engine.") and name.count(".") == 1:
            assert name.split(".")[1] in allowed | {"__version__"}, f"{place(module)} imports {name}"
        elif name.startswith("rag_engine."):
            assert name.split(".")[1] in allowed, f"{place(module)} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=names(MODULES))
def test_a_library_behind_a_fence_is_imported_only_there(module: Path) -> None:
    for name in imports(module):
        inside = FENCES.get(name.split(".")[0])
        assert inside is None or place(module).startswith(inside), f"{place(module)} imports {name}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    by_name = {"rag_engine." + place(module).replace("/", "."): module for module in MODULES}
    arrows = {
        name: {other for other in imports(module, at_run_time=True) if other in by_name and other != name}
        for name, module in by_name.items()
    }
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' -> '.join([*path, name])}"
        if name not in done:
            for other in sorted(arrows[name]):
                walk(other, (*path, name))
            done.add(name)

    for name in sorted(arrows):
        walk(name, ())


def test_no_module_is_a_place_for_leftovers() -> None:
    leftovers = {"utils", "helpers", "common", "manager", "misc"}
    assert not [place(module) for module in MODULES if leftovers & set(place(module).split("/"))]


def test_no_file_names_a_package_host() -> None:
    hosts = ("pypi" + ".org", "huggingface" + ".co", "pythonhosted" + ".org")
    tracked = [
        path for path in ROOT.rglob("*") if path.suffix in {".py", ".md", ".toml", ".sh"} or path.name == "Makefile"
    ]
    own = [path for path in tracked if not {".venv", "build", "results"} & set(path.relative_to(ROOT).parts)]
    assert own
    for path in own:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [host for host in hosts if host in text], path
