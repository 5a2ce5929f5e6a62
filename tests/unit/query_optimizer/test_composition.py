"""Changes of changes are changes of what there was first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.composition import composed
from rag_engine.types.repair import RepairChange, RepairReason, repaired

TEXTS = st.text(alphabet="abc ", min_size=1, max_size=20)


@st.composite
def changes_of(draw: st.DrawFn, text: str) -> tuple[RepairChange, ...]:
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [(start, end) for start, end in zip(places[::2], places[1::2], strict=False)]
    return tuple(
        RepairChange(text[start:end], draw(st.text(alphabet="XYZ", min_size=1, max_size=4)), 0.9,
                     RepairReason.SPELLING, start, end)
        for start, end in spans
    )  # fmt: skip


@given(st.data())
def test_composed_changes_give_the_last_text_from_the_first(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    earlier = data.draw(changes_of(text))
    between = repaired(text, earlier).text
    later = data.draw(changes_of(between))
    both = composed(text, earlier, later)
    assert repaired(text, both).text == repaired(between, later).text
    assert all(text[one.start : one.end] == one.before != one.after for one in both)
