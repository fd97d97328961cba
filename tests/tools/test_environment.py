"""The first environment of the tests has every framework, so that no file is left out there."""

from importlib.util import find_spec

from tests.conftest import FRAMEWORKS


def test_every_framework_is_here() -> None:
    assert [name for name in sorted(FRAMEWORKS) if find_spec(name) is None] == []
