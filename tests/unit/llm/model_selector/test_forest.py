from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.llm.model_selector.forest import Forest
from rag_engine.llm.model_selector.random_tree import grow


def test_no_leaf_is_smaller_than_asked_for() -> None:
    generator = np.random.default_rng(0)
    features = generator.standard_normal((300, 5)).astype(np.float32)
    tree = grow(features, features[:, :2] ** 2, smallest=7, tried=4, generator=generator)
    node = np.zeros(300, dtype=np.int64)
    while (tree.left[node] >= 0).any():
        above = features[np.arange(300), tree.feature[node]] > tree.threshold[node]
        node = np.where(tree.left[node] >= 0, tree.left[node] + above, node)
    assert np.bincount(node)[np.unique(node)].min() >= 7
    assert len(np.unique(node)) > 10


def test_what_cannot_be_told_apart_is_one_leaf() -> None:
    features = np.ones((40, 3), dtype=np.float32)
    tree = grow(features, features[:, :1], smallest=2, tried=3, generator=np.random.default_rng(0))
    assert tree.left.tolist() == [-1]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), questions=st.integers(2, 60), trees=st.integers(1, 12))
def test_weights_add_up_to_one_and_no_question_speaks_for_itself(seed: int, questions: int, trees: int) -> None:
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((questions, 4)).astype(np.float32)
    forest = Forest(features, features[:, :1], trees=trees, smallest=4, share=0.5, seed=seed)
    new = forest.like(features[:5])
    sums = np.bincount(new.row, new.weight)
    assert np.allclose(sums[sums > 0], 1)
    out = forest.held_out(1, questions)
    assert not (out.row + 1 == out.question).any()
    sums = np.bincount(out.row, out.weight)
    assert np.allclose(sums[sums > 0], 1)


def test_questions_that_models_take_alike_are_like_each_other() -> None:
    generator = np.random.default_rng(3)
    features = generator.standard_normal((400, 6)).astype(np.float32)
    side = features[:, 2] > 0
    forest = Forest(features, side[:, None].astype(np.float32), trees=30, smallest=8, share=1.0)
    new = np.zeros((1, 6), dtype=np.float32)
    new[0, 2] = 1.0
    like = forest.like(new)
    assert like.weight[side[like.question]].sum() > 0.95
