"""The table of live exchanges: what a cell says, what is counted, and when the command fails."""

from __future__ import annotations

from benchmarks.conformance.features import Asked, Exchange, Feature, NotOffered, Surface
from benchmarks.conformance.outcome import Outcome
from benchmarks.conformance.table import Cell, Mark, cells_of, exit_status, to_json, to_markdown
from rag_engine.errors import ServerError
from rag_engine.types.generation import Completion, FinishReason, Prompt

FINE = Outcome(Completion("fine", "m", FinishReason.STOP))


def surface(asked: dict[Feature, Asked]) -> Surface:
    return Surface("one", "openai", "m", "http://127.0.0.1:9/v1", asked)


def exchange(wrong: str = "") -> Exchange:
    return Exchange(Prompt.plain("q"), lambda outcome: wrong)


def cells(asked: dict[Feature, Asked], outcome: Outcome = FINE) -> list[Cell]:
    return list(cells_of("server", surface(asked), asking=lambda _surface, _exchange: outcome))


def test_every_feature_has_a_cell_and_what_is_not_asked_is_not_offered() -> None:
    found = cells({Feature.PLAIN: exchange(), Feature.STREAM: NotOffered("no streams")})

    assert [cell.feature for cell in found] == list(Feature)
    marks = {cell.feature: (cell.mark, cell.why) for cell in found}
    assert marks[Feature.PLAIN] == (Mark.YES, "")
    assert marks[Feature.STREAM] == (Mark.NOT_OFFERED, "no streams")
    assert marks[Feature.TOOLS][0] is Mark.NOT_OFFERED


def test_what_fails_says_why_and_does_not_keep_the_rest_from_being_asked() -> None:
    found = cells({Feature.PLAIN: exchange("text 'x'"), Feature.USAGE: exchange()})

    shown = {cell.feature: cell for cell in found if cell.mark is not Mark.NOT_OFFERED}
    assert (shown[Feature.PLAIN].mark, shown[Feature.PLAIN].why) == (Mark.NO, "text 'x'")
    assert shown[Feature.USAGE].mark is Mark.YES


def test_an_exception_that_is_no_typed_error_is_a_no_even_where_the_judge_is_content() -> None:
    found = cells({Feature.PLAIN: exchange()}, Outcome(unexpected=KeyError("choices")))

    assert found[0].mark is Mark.NO
    assert "KeyError" in found[0].why


def test_a_typed_error_is_a_yes_where_it_is_what_was_wanted() -> None:
    found = cells({Feature.SERVER_ERROR: exchange()}, Outcome(error=ServerError("broken")))

    assert [cell.mark for cell in found if cell.feature is Feature.SERVER_ERROR] == [Mark.YES]
    assert [cell.came for cell in found if cell.feature is Feature.SERVER_ERROR] == ["ServerError: broken"]


def test_only_what_fails_of_what_is_offered_makes_the_command_fail() -> None:
    right, wrong = cells({Feature.PLAIN: exchange()}), cells({Feature.PLAIN: exchange("wrong")})

    assert exit_status(right) == 0
    assert exit_status(right, ["llama_cpp"]) == 2
    assert exit_status([*right, *wrong]) == exit_status(wrong, ["llama_cpp"]) == 1


def test_nothing_asked_is_no_success() -> None:
    assert exit_status([]) == 2


def test_the_table_shows_features_by_surfaces_and_below_it_the_reasons() -> None:
    shown = to_markdown(
        cells({Feature.PLAIN: exchange("text 'x'"), Feature.TOOLS: exchange(), Feature.STREAM: NotOffered("why")})
    )

    lines = shown.splitlines()
    assert lines[0] == "| server | one |"
    assert "| plain | no |" in lines
    assert "| tools | yes |" in lines
    assert "| stream | – |" not in lines  # nobody offers it: a line below says so
    assert "1 of 2 offered" in lines
    assert "- no: one, plain: text 'x'" in lines
    assert "- not offered: stream (one): why" in lines


def test_the_json_counts_and_holds_every_cell() -> None:
    found = to_json(cells({Feature.PLAIN: exchange("text 'x'"), Feature.TOOLS: exchange()}))

    assert (found["server"]["yes"], found["server"]["offered"]) == (1, 2)
    one = found["server"]["surfaces"]["one"]
    assert set(one) == {feature.value for feature in Feature}
    assert (one["plain"]["mark"], one["plain"]["why"]) == ("no", "text 'x'")
