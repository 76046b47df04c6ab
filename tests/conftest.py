"""For all tests."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator

import pytest
import torch


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what the collection imports and makes, 800,000 objects, out of what is looked through for garbage.

    To look through it takes half a second, sixteen times while it is made and again and again while the tests run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small networks are slower with two threads, and far slower where another process wants the second core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
