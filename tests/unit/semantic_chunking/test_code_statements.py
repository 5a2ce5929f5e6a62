from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking.code_statements import Statements


def first_lines(text: str, starts: list[int]) -> list[str]:
    return [text[start:].split("\n")[0].strip() for start in starts]


def every(text: str) -> list[str]:
    return first_lines(text, Statements(text, 0, len(text)).every(text, 0, len(text)))


def outermost(text: str) -> list[str]:
    return first_lines(text, Statements(text, 0, len(text)).outermost(text, 0, len(text)))


PYTHON = '''@cache
def compute(
    first: int,
    second: str = "(",
) -> int:
    """Words.

    More words in a string of several lines.
    """
    total = first + \\
        second
    # what comes next
    return call(
        total,
        {"a": 1,
         "b": 2},
    )

x = 1
'''


def test_nothing_inside_brackets_and_strings_or_behind_a_decorator_is_a_statement() -> None:
    assert every(PYTHON) == ['"""Words.', "total = first + \\", "# what comes next", "x = 1"]


def test_a_comment_stays_with_what_it_is_about() -> None:
    assert "return call(" not in every(PYTHON)


def test_the_outermost_statements_leave_bodies_whole() -> None:
    assert outermost(PYTHON) == ["x = 1"]
    assert outermost("a:\n    b\n    c:\n        d\n    e") == ["b", "c:", "e"]


def test_braces_of_blocks_hold_statements_and_braces_of_values_do_not() -> None:
    code = "f(x) {\n  let a = {\n    b: 1,\n    c: 2,\n  };\n  g(() => {\n    h();\n    i();\n  });\n}\nlast();"
    assert every(code) == ["let a = {", "g(() => {", "h();", "i();", "last();"]


def test_clauses_and_chains_belong_to_the_statement_before() -> None:
    code = "if (a) {\n  b();\n}\nelse {\n  c()\n    .d()\n    .e();\n}\nx =\n  5\ny"
    assert every(code) == ["b();", "c()", "x =", "y"]


def test_a_bracket_that_is_never_closed_hides_no_more_than_its_own_lines() -> None:
    assert every("print(x\n    y\nz = 1\nw = 2") == ["z = 1", "w = 2"]


def test_fences_belong_to_the_code() -> None:
    assert every("```python\na = 1\nb = 2\n```") == ["b = 2"]


def test_elements_of_a_long_list_are_pieces() -> None:
    assert every('[\n  {\n    "a": 1\n  },\n  {\n    "a": 2\n  }\n]') == ["{", '"a": 1', "{", '"a": 2']


@pytest.mark.parametrize("part", ['\\"', "/*", "'''\"\"\"", "`", "(", "{\n", "# '\n", "((((", "\n\n", " " * 50 + "("])
def test_the_scan_is_linear_in_hostile_text(part: str) -> None:
    text = part * (300_000 // len(part))
    Statements(text, 0, len(text)).outermost_after_blank(text, 0, len(text))


@given(st.text(alphabet="ab(){}[]\"'`#/* \n\t:=,", max_size=80))
def test_statements_begin_lines_with_words(text: str) -> None:
    starts = Statements(text, 0, len(text)).every(text, 0, len(text))
    assert starts == sorted(set(starts))
    assert all(text[start - 1] == "\n" and text[start:].split("\n")[0].strip() for start in starts)
