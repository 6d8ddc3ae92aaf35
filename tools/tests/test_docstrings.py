"""Every example in a docstring is what the code gives."""

import doctest
import importlib

import pytest

from kata import loading
from kata.topics import REFERENCE, TOOLS

FLAGS = doctest.NORMALIZE_WHITESPACE
MODULES = sorted(path.stem for path in (TOOLS / "kata").glob("*.py") if path.stem not in ("__init__", "worker", "live"))


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.py")), ids=lambda path: path.stem)
def test_reference_examples(path):
    """The examples of a reference file run, and there is at least one."""
    result = doctest.testmod(loading.load(path), optionflags=FLAGS)
    assert result.failed == 0 and result.attempted > 0


@pytest.mark.parametrize("name", MODULES)
def test_harness_examples(name):
    """The examples of a module of the harness run."""
    assert doctest.testmod(importlib.import_module(f"kata.{name}"), optionflags=FLAGS).failed == 0


def test_testing_has_examples():
    """The module that suites import shows how it is used."""
    assert doctest.testmod(importlib.import_module("kata.testing"), optionflags=FLAGS).attempted > 0
