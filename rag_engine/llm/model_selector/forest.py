"""A forest that says which earlier questions are like a new one, as far as models' answers go.

Each tree is grown on a random half of the questions, and holds the others in its leaves: what it holds had no part in
where it splits, so that its answers are as good a sample as any ("honest" trees; Wager and Athey, 2018). A question can
be looked up in the trees that hold it, itself left out, as if it were new: everything that is chosen or tested on
held-out answers comes from one fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rag_engine.llm.model_selector.random_tree import grow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Matrix = NDArray[np.float64]
    Single = NDArray[np.float32]


_GROWN_ON = 5_000  # questions at most decide where a tree splits; more would only make its growing slower


class Likeness(NamedTuple):
    """For rows, questions like them and how much each counts; shape (pairs,), one pair once, sorted by row. The weights
    of a row add up to 1; a row that is like nothing has none."""

    row: Numbers
    question: Numbers
    weight: Matrix


class Forest:
    """Made once, then only read, by any thread."""

    def __init__(
        self, features: Single, targets: Single, *, trees: int, smallest: int, share: float, seed: int = 0
    ) -> None:
        """Grows it over ``features``, shape (questions, columns), to tell ``targets`` apart, shape (questions, k).

        A leaf is made for about ``smallest`` questions or more, half of which grow the tree; ``share`` of the columns
        are tried at a node.
        """
        import numpy as np

        generator = np.random.default_rng(seed)
        questions, columns = features.shape
        grown, self._seen = [], np.zeros((trees, questions), dtype=bool)
        for tree in range(trees):
            half = generator.permutation(questions)[: min(max(1, questions // 2), _GROWN_ON)]
            self._seen[tree, half] = True
            grown.append(
                grow(
                    features[half],
                    targets[half],
                    smallest=max(1, smallest // 2),
                    tried=max(1, round(share * columns)),
                    generator=generator,
                )
            )
        sizes = [len(tree.left) for tree in grown]
        self._roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._feature = np.concatenate([tree.feature for tree in grown])
        self._threshold = np.concatenate([tree.threshold for tree in grown])
        self._left = np.concatenate(
            [np.where(tree.left < 0, -1, tree.left + root) for tree, root in zip(grown, self._roots, strict=True)]
        )
        self._questions = questions
        self._leaves = self._descend(features)
        held, holders = np.nonzero(~self._seen.T)
        leaves = self._leaves[held, holders]
        self._members = held[np.argsort(leaves, kind="stable")]
        self._counts = np.bincount(leaves, minlength=sum(sizes))
        self._starts = np.cumsum(self._counts) - self._counts

    def like(self, features: Single) -> Likeness:
        """What is like new questions, shape (rows, columns)."""
        import numpy as np

        leaves = self._descend(features)
        rows = np.repeat(np.arange(len(features)), leaves.shape[1])
        return self._weighed(len(features), rows, leaves.ravel())

    def held_out(self, first: int, last: int) -> Likeness:
        """What is like the forest's own questions from ``first`` to before ``last``, themselves left out, by the trees
        that they had no part in."""
        import numpy as np

        unseen = ~self._seen[:, first:last].T
        rows, trees = np.nonzero(unseen)
        return self._weighed(last - first, rows, self._leaves[first:last][rows, trees], without=first)

    def _weighed(self, count: int, rows: Numbers, leaves: Numbers, *, without: int | None = None) -> Likeness:
        import numpy as np

        sizes = self._counts[leaves]
        ends = np.cumsum(sizes)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self._starts[leaves] - ends + sizes, sizes)
        each = 1.0 / np.maximum(sizes if without is None else sizes - 1, 1)
        row, question, share = np.repeat(rows, sizes), self._members[places], np.repeat(each, sizes)
        if without is not None:
            share[question == row + without] = 0.0
        together = np.bincount(row * self._questions + question, share, minlength=count * self._questions)
        pairs = np.flatnonzero(together)
        row, question, weight = pairs // self._questions, pairs % self._questions, together[pairs]
        total = np.bincount(row, weight, minlength=count)
        return Likeness(row, question, weight / total[row])

    def _descend(self, features: Single) -> Numbers:
        """The leaf of each row in each tree, shape (rows, trees)."""
        import numpy as np

        node = np.repeat(self._roots[None, :], len(features), axis=0)
        row = np.arange(len(features))[:, None]
        while True:
            left = self._left[node]
            inner = left >= 0
            if not inner.any():
                return node
            above = features[row, self._feature[node]] > self._threshold[node]
            node = np.where(inner, left + above, node)
