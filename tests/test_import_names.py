"""Our import names are plain words, so prove that nobody else installed them."""

from __future__ import annotations

from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["alerts", "connectors", "daemon", "rules", "sandbox", "store"])
def test_import_name_is_ours(name: str) -> None:
    """The package that is imported lies in this tree, and no other distribution provides it."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(_ROOT)
    assert set(packages_distributions().get(name, [])) <= {"tierd"}
