"""The tiny models of the core."""

from tests.core.conftest import make_model

__all__ = ["make_model"]
