"""What rounds come to."""

import pytest

from benchmarks.peers.catalogue import PEERS, Contender, Regime, contenders
from benchmarks.peers.measurement import Measurement
from benchmarks.peers.results import against_best, rows, to_json, to_markdown
from rag_engine.errors import UsageError

OURS, BARE, CHROMA = (
    Contender(next(peer for peer in PEERS if peer.name == name), regime)
    for name, regime in (("rag_engine", Regime.CHUNKED), ("bare", Regime.WHOLE), ("chroma", Regime.WHOLE))
)


def measured(contender: Contender, number: int, **figures: float) -> Measurement:
    return Measurement(contender.name, number, "1.0", figures)


def test_ratios_are_taken_within_each_round() -> None:
    # The machine was twice as slow in the second round: the ratio is the same all the same.
    taken = [
        measured(OURS, 1, documents_per_second=100.0, cold_seconds=0.5),
        measured(BARE, 1, documents_per_second=20.0, cold_seconds=4.0),
        measured(OURS, 2, documents_per_second=50.0, cold_seconds=1.0),
        measured(BARE, 2, documents_per_second=10.0, cold_seconds=8.0),
    ]

    ours, bare = rows([OURS, BARE], taken)

    assert bare.figures["documents_per_second"].ratio == 5.0
    assert bare.figures["cold_seconds"].ratio == 8.0
    assert (bare.figures["cold_seconds"].least, bare.figures["cold_seconds"].most) == (4.0, 8.0)
    assert bare.figures["documents_per_second"].median == 15.0
    assert ours.figures["cold_seconds"].ratio is None
    assert bare.rounds == 2


def test_the_summary_holds_us_against_the_best_peer_of_each_figure() -> None:
    taken = [
        measured(OURS, 1, documents_per_second=100.0, cold_seconds=0.5, texts=10),
        measured(BARE, 1, documents_per_second=20.0, cold_seconds=5.0, texts=5),
        measured(CHROMA, 1, documents_per_second=10.0, cold_seconds=4.0, texts=5),
    ]

    assert against_best(rows([OURS, BARE, CHROMA], taken)) == {"whole": {"ingest": 5.0, "cold": 8.0}}


def test_the_table_says_median_spread_ratio_and_what_failed() -> None:
    broken = Measurement(CHROMA.name, 1, "1.0", errors={"ingest": "exit status 1: no room"})
    taken = [
        measured(OURS, 1, documents_per_second=100.0),
        measured(BARE, 1, documents_per_second=20.0),
        measured(OURS, 2, documents_per_second=100.0),
        measured(BARE, 2, documents_per_second=25.0),
        broken,
    ]
    table = rows([OURS, BARE, CHROMA], taken)

    lines = to_markdown(table).splitlines()

    assert lines[2].startswith("| rag_engine 1.0 | chunked | 100.0 | - |")
    assert lines[3].startswith("| sentence-transformers + FAISS 1.0 | whole | 22.5 (20.0 to 25.0), 4.5× | - |")
    assert lines[-1] == "- chroma-whole, ingest: exit status 1: no room"
    assert len({line.count("|") for line in lines[:5]}) == 1
    assert to_json(table)[1]["figures"]["documents_per_second"] == {
        "median": 22.5,
        "min": 20.0,
        "max": 25.0,
        "ratio": 4.5,
    }


def test_without_our_round_there_is_no_ratio() -> None:
    taken = [measured(OURS, 1, cold_seconds=1.0), measured(BARE, 2, cold_seconds=4.0)]

    assert rows([BARE], taken)[0].figures["cold_seconds"].ratio is None


def test_we_are_among_the_contenders_whether_named_or_not() -> None:
    assert contenders(["bare"], [Regime.WHOLE]) == [OURS, BARE]


def test_an_unknown_peer_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="no peer milvus") as refused:
        contenders(["milvus"], [Regime.WHOLE])
    assert "langchain" in str(refused.value.hint)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_has_its_program_and_pinned_requirements(peer) -> None:
    assert peer.program.is_file()
    if peer.name != "rag_engine":
        lines = peer.requirements.read_text().splitlines()
        assert lines[0] == "-r model.txt"
        assert all("==" in line for line in lines[1:])
        assert any(line.startswith(f"{peer.distribution}==") for line in [*lines, *model_requirements(peer)])


def model_requirements(peer) -> list[str]:
    return peer.requirements.with_name("model.txt").read_text().splitlines()
