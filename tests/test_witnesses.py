"""Single witnesses, told by hand what no short program shows.

What lives here: long runs, of which only a few events matter. What must not: anything that a fixture can show.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

pytest.importorskip("torch")

from flake8_detach.runtime.events import Activation, Backward, Finished, Frame, ModuleCall
from flake8_detach.runtime.graph import Graph
from flake8_detach.runtime.program import Site
from flake8_detach.runtime.run import Run
from flake8_detach.runtime.witnesses import det905


def test_a_used_action_stays_used_when_its_nodes_are_forgotten() -> None:
    """A long run forgets when old nodes were visited; the memory of it is empty here from the beginning."""
    told: list[object] = []
    run = SimpleNamespace(visits={}, report=lambda *given: told.append(given))
    witness = det905.Witness(cast(Run, run))
    for first in (10, 20, 30):
        frame = Frame(Activation("select_action", 3, False, 1, first), 3, [])
        witness.on_module_call(ModuleCall("Policy", True, first, first + 5, [frame], Site(3 + first)))
    witness.on_backward(Backward([], True, Graph([]), {22, 40}, None, False, False, "backward"))
    witness.on_finished(Finished(False, []))
    assert told == [("DET905", Site(line), "Policy built 5 graph nodes for an action") for line in (13, 33)]
