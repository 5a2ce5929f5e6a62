"""English words that say the opposite of each other: where a question has one and a sentence the other, it matters."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache

from rag_engine.llm.terms import terms

_PAIRS = """
    increase decrease; increase decline; rise fall; rise decline; more less; most least; more fewer; many few;
    first last; before after; north south; east west; northern southern; eastern western; high low; higher lower;
    highest lowest; large small; larger smaller; largest smallest; big small; biggest smallest; long short;
    longer shorter; longest shortest; old new; older younger; older newer; oldest youngest; oldest newest; early late;
    earlier later; earliest latest; good bad; better worse; best worst; positive negative; win lose; won lost;
    success failure; successful unsuccessful; strong weak; stronger weaker; strongest weakest; rich poor; hot cold;
    warm cold; male female; man woman; men women; king queen; father mother; son daughter; brother sister;
    import export; accept reject; accept refuse; allow prohibit; allow ban; allow forbid; permit prohibit;
    permit forbid; legal illegal; begin end; began ended; start end; start stop; start finish; open close;
    opened closed; open shut; same different; similar different; possible impossible; public private;
    internal external; inner outer; upper lower; top bottom; left right; inside outside; above below; major minor;
    majority minority; maximum minimum; simple complex; easy difficult; easy hard; rural urban; domestic foreign;
    support oppose; ancient modern; buy sell; bought sold; gain lose; gained lost; attack defend; create destroy;
    active inactive; direct indirect; formal informal; common rare; common uncommon; usually rarely; always never;
    often seldom; often rarely; natural artificial; permanent temporary; heavy light; heavier lighter; dark light;
    deep shallow; wide narrow; fast slow; faster slower; fastest slowest; near far; nearest farthest; present absent;
    include exclude; join leave; enter exit; arrive depart; push pull; conservative liberal; winner loser;
    victory defeat; peace war; birth death; born died; alive dead; innate adaptive; primary secondary; odd even;
    solid liquid; hard soft; expand contract; add subtract; add remove; connect disconnect; advantage disadvantage;
    employment unemployment; employed unemployed; equal unequal; true false; safe dangerous; safe unsafe;
    friend enemy; failed succeeded; fail succeed; able unable; full empty; enable disable; enabled disabled;
    required optional; required forbidden; included excluded; wet dry; cheap expensive; input output; known unknown;
    visible hidden; visible invisible; online offline; encrypt decrypt; free paid; raise lower; day night
"""


@cache
def _opposites() -> Mapping[str, Set[str]]:
    found: dict[str, set[str]] = {}
    for pair in _PAIRS.split(";"):
        one, other = (_stem(word) for word in pair.split())
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def opposed(asked: Set[str], said: Set[str]) -> Set[str]:
    """The words ``asked`` whose opposite is among those ``said``, while they themselves are not.

    Both are stems of words as ``stems`` gives them.
    """
    opposites = _opposites()
    return {word for word in asked if word not in said and not said.isdisjoint(opposites.get(word, frozenset()))}


def stems(text: str) -> frozenset[str]:
    """The words of a text, stop words among them: "before" and "after" are opposites as well."""
    return frozenset(_stem(word.strip(".,;:!?()[]\"“”'’")) for word in text.split()) - {""}


def _stem(word: str) -> str:
    found = terms(word)
    return found[0] if found else word.casefold()
