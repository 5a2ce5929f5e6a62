from __future__ import annotations

import pytest

from rag_engine.semantic_chunking.grapheme_clusters import flag_middles, parts_cluster


@pytest.mark.parametrize(
    "cluster",
    [
        "e\u0301",
        "\r\n",
        "👩‍💻",
        "👍🏽",
        "❤️",
        "हि",
        "क्ष",
        "กำ",
        "각",
        "각\u11a8",
        "가\u11a8",
        "🏴\U000e0067\U000e007f",
        "ｶﾞ",
        "న్న",
    ],
)
def test_characters_seen_as_one_are_not_parted(cluster: str) -> None:
    assert all(parts_cluster(cluster, position) for position in range(1, len(cluster)))


@pytest.mark.parametrize("pair", ["ab", "a ", "\n\r", "中文", "한글", "각가", "😀😀", "กข", "a\u4e00", "אב"])
def test_characters_on_their_own_may_be_parted(pair: str) -> None:
    assert not parts_cluster(pair, 1)


def test_flags_are_pairs_of_letters() -> None:
    text = "a🇩🇪🇫🇷🇪 🇪🇸"
    assert list(flag_middles(text, 0, len(text))) == [2, 4, 8]
