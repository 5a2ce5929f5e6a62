"""Whether loaders need anything outside of the sandbox: all files once more, with everything outside refused.

The interpreter asks an audit hook (PEP 578) before it opens a file or a socket or starts a process. In this run the
hook refuses all of that but the interpreter's own files, so a file that comes out as it did before needed none of it.
What libraries of C do by themselves the hook does not see; against that stand the sandbox's own walls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.formats.reading import Reading, make_sandbox, read_files
from rag_engine.ingestion import sandbox

_HOOK = """
import os, sys
def refuse_outside(event, arguments, own=(*sys.path, sys.prefix, sys.base_prefix, "/proc/self/", os.devnull)):
    if event == "open" and isinstance(arguments[0], str):
        path, flags = os.path.abspath(arguments[0]), arguments[2] or 0
        outside = not path.startswith(own) or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    else:
        outside = event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system"))
    # The sandbox itself, which is no loader, takes the file from its parent and lays the walls around.
    if outside and not sys._getframe(1).f_globals.get("__name__", "").startswith("rag_engine.ingestion.sandbox"):
        raise PermissionError(f"{event} {arguments[:1]}")
sys.addaudithook(refuse_outside)
"""


@contextmanager
def outside_refused() -> Iterator[None]:
    """Children of sandboxes that start within the block refuse everything outside but the file they are given."""
    program = sandbox._PROGRAM
    begin, end = program.split("; from ", 1)
    sandbox._PROGRAM = f"{begin}\n{_HOOK}\nfrom {end}"
    try:
        yield
    finally:
        sandbox._PROGRAM = program


def read_with_outside_refused(folder: Path, paths: list[str]) -> Iterator[tuple[str, Reading]]:
    """Each file with its reading under the hook."""
    with outside_refused(), make_sandbox() as child:
        yield from read_files(folder, paths, child)
