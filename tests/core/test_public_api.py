"""The public surface: sorted, documented, complete."""

import inspect
from collections.abc import Iterator

import attnviz
from attnviz import errors, locale


def test_all_is_sorted_and_everything_in_it_has_a_docstring() -> None:
    assert attnviz.__all__ == sorted(attnviz.__all__)
    for name in attnviz.__all__:
        assert inspect.getdoc(getattr(attnviz, name)), name


def test_error_codes_are_distinct_and_all_kinds_are_exported() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert len({cls.code for cls in classes}) == len(classes)
    assert sorted(cls.__name__ for cls in kinds_of(errors.AttnvizError)) == sorted(errors.__all__)


def test_details_of_an_error_fill_its_message_in_every_language() -> None:
    for cls in kinds_of(errors.AttnvizError):
        fields = getattr(cls, "__dataclass_fields__", {}).keys()
        for lang in locale.LANGUAGES:
            for code in (cls.code, f"{cls.code}.code"):
                message = locale.catalogue(lang).get(f"error.{code}", "")
                assert locale.placeholders(message) <= fields, (lang, code)


def kinds_of(kind: type[errors.AttnvizError]) -> Iterator[type[errors.AttnvizError]]:
    """Every class of the tree that attnviz itself declares."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith("attnviz."):
            yield from kinds_of(child)
