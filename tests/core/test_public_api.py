"""The public surface: sorted, documented, complete."""

import inspect

import attnviz
from attnviz import errors


def test_all_is_sorted_and_everything_in_it_has_a_docstring() -> None:
    assert attnviz.__all__ == sorted(attnviz.__all__)
    for name in attnviz.__all__:
        assert inspect.getdoc(getattr(attnviz, name)), name


def test_error_codes_are_distinct_and_the_tree_in_the_docstring_is_complete() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert len({cls.code for cls in classes}) == len(classes)
    assert errors.__doc__ is not None
    for cls in classes:
        assert f" {cls.__name__} " in errors.__doc__ or f"{cls.__name__}\n" in errors.__doc__
