"""Importing the error handler loads neither tenacity nor an event loop."""

from __future__ import annotations

import subprocess
import sys


def test_neither_tenacity_nor_asyncio_is_loaded_until_something_is_tried_again() -> None:
    program = (
        "import sys, rag_engine.error_handler as handler\n"
        "print({'tenacity', 'asyncio', 'httpx', 'numpy', 'tomllib', 'pydantic'} & set(sys.modules))\n"
        "handler.retry_with_backoff(lambda: 1)()\n"
        "print('tenacity' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split("\n")[:2] == ["set()", "True"]
