from __future__ import annotations

import json
from pathlib import Path

from benchmarks.quality.answer_cases import read_cases


def test_questions_of_one_article_are_all_on_one_side_and_the_sides_are_drawn_anew_by_no_order(tmp_path: Path) -> None:
    rows = [
        {"set": "s", "group": f"article {n % 12}", "question": f"q{n}", "answerable": False, "answers": [], "spans": [],
         "passages": []}
        for n in range(60)
    ]  # fmt: skip
    file = tmp_path / "cases.jsonl"
    sides = []
    for order in (rows, rows[::-1]):
        file.write_text("".join(json.dumps(row) + "\n" for row in order), encoding="utf-8")
        sides.append({case.prompt.question: case.fits for case in read_cases(file)})
    assert sides[0] == sides[1]
    assert all(sides[0][f"q{n}"] == sides[0][f"q{n + 12}"] for n in range(48))
    assert set(sides[0].values()) == {True, False}
