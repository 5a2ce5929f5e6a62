"""What the package shows to its users."""

from __future__ import annotations

import rag_engine


def test_exported_names_are_sorted_and_each_can_be_had() -> None:
    assert rag_engine.__all__ == sorted(rag_engine.__all__)
    for name in rag_engine.__all__:
        assert getattr(rag_engine, name).__module__.startswith("rag_engine.")


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(rag_engine, "Langchain")


def test_every_exported_name_has_a_docstring() -> None:
    for name in rag_engine.__all__:
        assert getattr(rag_engine, name).__doc__


def test_every_error_has_a_code_of_its_own_and_stands_in_the_drawn_tree() -> None:
    from rag_engine import errors

    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.RagEngineError)
    ]
    assert len({kind.code for kind in classes}) == len(classes)
    for kind in classes:
        assert kind.__name__ in (errors.__doc__ or ""), kind.__name__
        assert kind.__doc__
        assert isinstance(kind.retryable, bool)
        assert kind.default_hint
