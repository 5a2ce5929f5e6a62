"""Source code: definitions as headed sections, in every language alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.ingestion.loaders.programming_languages import LANGUAGE_OF_SUFFIX
from rag_engine.ingestion.loaders.selection import select_loader
from rag_engine.ingestion.loaders.source_code import SourceCodeLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits


def load(source: str, name: str = "a.py") -> Document:
    (document,) = SourceCodeLoader().load(source.encode(), name=name, limits=LoadLimits(1_000_000))
    return document


def outline(source: str, name: str = "a.py") -> list[tuple[int, str]]:
    return [(block.level, block.title) for block in load(source, name).blocks if block.kind is BlockKind.HEADING]


PYTHON = '''\
"""Of birds."""
import os  # for nothing


# How owls
# are made.
@dataclass
class Owl:
    """Hunts at night."""

    wings: int = 2

    async def hunt(self) -> None:
        """Hünts."""
        def inner(): ...

        inner()

    size = 3


def count(owls):
    return len(owls)

print(count([]))
'''


def test_definitions_are_sections_with_their_comments_and_decorators() -> None:
    document = load(PYTHON)
    assert document.text == PYTHON
    assert document.metadata == {"programming_language": "python"}
    assert [
        (block.kind.value, block.level, block.title, document.text[block.start : block.end].strip().split("\n")[0])
        for block in document.blocks
    ] == [
        ("code", 0, "", '"""Of birds."""'),
        ("heading", 1, "class Owl", "# How owls"),
        ("code", 0, "", "# are made."),
        ("heading", 2, "method hunt", "async def hunt(self) -> None:"),
        ("code", 0, "", '"""Hünts."""'),
        ("code", 2, "", "size = 3"),
        ("heading", 1, "function count", "def count(owls):"),
        ("code", 0, "", "return len(owls)"),
        ("code", 1, "", "print(count([]))"),
    ]


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        (
            "a.js",
            "export class A {\n m() {}\n}\nexport default function f(){}\nconst g = async () => 1;\nlet x = 1;\n"
            "A.prototype.z = function(){};\n",
            [(1, "class A"), (2, "method m"), (1, "function f"), (1, "function g"), (1, "function A.prototype.z")],
        ),
        (
            "a.ts",
            "export interface I { x: number }\nnamespace N { export function f(){} }\ntype T = 1;\n",
            [(1, "interface I"), (1, "namespace N"), (2, "method f"), (1, "type T")],
        ),
        ("a.tsx", "export const App = () => <p>x</p>;\n", [(1, "function App")]),
        (
            "a.java",
            "package a;\n/** doc */\n@X public class A {\n A(){}\n int f(){return 1;}\n enum E{P;}\n}\n",
            [(1, "class A"), (2, "method A"), (2, "method f"), (2, "enum E")],
        ),
        (
            "a.c",
            "struct S {int a;};\nstatic int *f(struct S *a) { return 0; }\ntypedef struct {int x;} T;\n"
            "#ifdef X\nint g(void){}\n#endif\nstruct S s;\n",
            [(1, "struct S"), (1, "function f"), (1, "type T"), (1, "function g")],
        ),
        (
            "a.h",
            "namespace n { class A : B { public: void f() {} };\ntemplate<class T> T g(T a){return a;} }\n"
            'void n::A::h() const {}\nextern "C" { void q(){} }\nclass B;\n',
            [
                (1, "namespace n"),
                (2, "class A"),
                (3, "method f"),
                (2, "method g"),
                (1, "function n::A::h"),
                (1, "function q"),
            ],
        ),
        (
            "a.cs",
            "namespace N { public class A { int F() => 1; } }\n",
            [(1, "namespace N"), (2, "class A"), (3, "method F")],
        ),
        (
            "a.go",
            "package a\nfunc f() {}\nfunc (s *S) M() {}\ntype S struct { x int }\n",
            [(1, "function f"), (1, "method S.M"), (1, "type S")],
        ),
        (
            "a.rs",
            "/// doc\n#[derive(X)]\npub struct S {}\nimpl T for S { fn f(&self) {} }\nmod m { pub fn g() {} }\n",
            [(1, "struct S"), (1, "impl T for S"), (2, "method f"), (1, "module m"), (2, "method g")],
        ),
        (
            "a.rb",
            "module M\n class A < B\n  def f; end\n  def self.g; end\n end\nend\n",
            [(1, "module M"), (2, "class A"), (3, "method f"), (3, "method g")],
        ),
        (
            "a.php",
            "<?php\nclass A { function f() {} }\ntrait T {}\nfunction g() {}\n",
            [(1, "class A"), (2, "method f"), (1, "trait T"), (1, "function g")],
        ),
        ("a.sh", "f() { echo; }\nfunction g { echo; }\n", [(1, "function f"), (1, "function g")]),
        ("a.kt", "class A {\n fun f() {}\n}\nfun h() {}\n", [(1, "class A"), (2, "method f"), (1, "function h")]),
        ("a.scala", "object O { def f = 1 }\ntrait T\n", [(1, "object O"), (2, "method f"), (1, "trait T")]),
        (
            "a.swift",
            "struct S {\n func f() {}\n}\nextension S {}\n",
            [(1, "struct S"), (2, "method f"), (1, "extension S")],
        ),
        ("a.lua", "function M.h() end\nlocal function g() end\n", [(1, "function M.h"), (1, "function g")]),
        ("a.hs", "f :: Int -> Int\nf 0 = 1\nf n = 2\ng = 1\ndata D = D\n", [(1, "function f"), (1, "data D")]),
        ("a.pl", "package A;\nsub f { 1 }\n", [(1, "function f")]),
        ("a.jl", "module M\nfunction f(x)\n1\nend\nend\n", [(1, "module M"), (2, "method f")]),
        ("a.m", "@interface A : B\n- (void)f;\n@end\n", [(1, "class A"), (2, "method f")]),
        ("a.ps1", "function F { 1 }\n", [(1, "function F")]),
    ],
)
def test_each_language_says_its_definitions(name: str, source: str, expected: list[tuple[int, str]]) -> None:
    assert outline(source, name) == expected


def test_code_in_a_language_that_is_not_known_is_text() -> None:
    assert load("x = 1", "a.unknown") == Document("a.unknown", "x = 1")


def test_broken_code_is_read_as_far_as_it_goes() -> None:
    assert outline("def f(:\n  x\n\nclass A:\n    def g(self):\n        return (\n") != []


def test_what_only_closes_a_definition_is_part_of_it() -> None:
    document = load("class A\n  def f\n    1\n  end\nend\nputs 1\n", "a.rb")
    assert [document.text[block.start : block.end] for block in document.blocks] == [
        *("class A", "def f", "\n    1\n  end\nend", "puts 1")
    ]


def test_the_encoding_that_a_source_declares_is_believed() -> None:
    data = "# -*- coding: cp1251 -*-\nx = 'да'\n".encode("cp1251")
    (document,) = SourceCodeLoader().load(data, name="a.py", limits=LoadLimits(100))
    assert "'да'" in document.text


@pytest.mark.parametrize("suffix", sorted(LANGUAGE_OF_SUFFIX))
def test_every_suffix_has_a_grammar(suffix: str) -> None:
    assert load("x", f"a{suffix}").metadata == {"programming_language": LANGUAGE_OF_SUFFIX[suffix]}


def test_a_page_behind_a_programs_name_is_html() -> None:
    assert select_loader("a.php", b"<!DOCTYPE html><p>").name == "html"
    assert select_loader("a.py", b"import a").name == "source_code"


@given(
    st.text(st.sampled_from("def clas():{}@#'\"\n\t é日x1"), max_size=200), st.sampled_from(["a.py", "a.js", "a.rb"])
)
def test_blocks_are_in_order_and_leave_out_no_word(source: str, name: str) -> None:
    if not source.strip():
        return
    document = load(source, name)
    position = 0
    for block in document.blocks:
        assert position <= block.start < block.end <= len(document.text)
        assert not any(map(str.isalnum, document.text[position : block.start]))
        position = block.end
    assert not any(map(str.isalnum, document.text[position:]))
