"""Live exchanges with aimock, where ``python -m benchmarks.conformance --servers aimock`` has installed it."""

from __future__ import annotations

import pytest

from benchmarks.conformance.__main__ import WORK
from benchmarks.conformance.servers import aimock
from benchmarks.conformance.table import Mark, cells_of


@pytest.mark.skipif(
    not aimock.installed(WORK),
    reason="aimock is not installed: python -m benchmarks.conformance --servers aimock does that",
)
def test_every_provider_that_aimock_fakes_is_understood_in_all_that_it_offers() -> None:
    with aimock.serving(WORK) as surfaces:
        cells = [cell for surface in surfaces for cell in cells_of("aimock", surface)]

    wrong = [f"{cell.surface}, {cell.feature.value}: {cell.why}" for cell in cells if cell.mark is Mark.NO]
    assert wrong == []
    asked = {cell.surface for cell in cells if cell.mark is Mark.YES}
    assert asked == {surface.title for surface in surfaces}
