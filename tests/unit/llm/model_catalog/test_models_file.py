"""The user's own file: it overrides field by field, adds models, and is refused with file, key and mend."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError
from rag_engine.llm.model_catalog import ModelCatalog
from rag_engine.llm.model_catalog.profile_file import read_models
from rag_engine.types.models import Ability, ModelTask


def catalog(folder: Path, text: str) -> ModelCatalog:
    file = folder / "models.toml"
    file.write_text(text, encoding="utf-8")
    return ModelCatalog(file)


def test_only_what_is_said_is_overridden(tmp_path: Path) -> None:
    before = ModelCatalog().find("openai/gpt-5.2")
    after = catalog(
        tmp_path,
        '[models."openai/gpt-5.2"]\nmax_output = 1000\nfitness = { code = 0.1 }\n'
        "price = { input = 1, output = 2.5, as_of = 2026-05-01 }\n",
    ).find("openai/gpt-5.2")
    assert after.max_output == 1000
    assert after.price is not None
    assert (after.price.input, after.price.output, after.price.as_of) == (1.0, 2.5, date(2026, 5, 1))
    assert after.fitness == {**before.fitness, ModelTask.CODE: 0.1}
    assert (after.window, after.tokenizer, after.abilities) == (before.window, before.tokenizer, before.abilities)


def test_a_model_is_added_and_may_be_like_another(tmp_path: Path) -> None:
    found = catalog(
        tmp_path,
        '[models."azure/ours"]\nlike = "azure/gpt-4.1"\nwindow = 5000\naliases = ["mine"]\n'
        '[models."local/small"]\nabilities = ["streaming", "tools"]\nfitness = { all = 0.5, code = 0.9 }\n',
    )
    ours, small = found.find("azure/mine"), found.find("local/small")
    assert (ours.full_name, ours.window, ours.max_output) == ("azure/ours", 5000, 5000)
    assert ours.price == found.find("openai/gpt-4.1").price
    assert small.known
    assert (small.window, small.price, small.abilities) == (8192, None, {Ability.STREAMING, Ability.TOOLS})
    assert small.fitness == {**dict.fromkeys(ModelTask, 0.5), ModelTask.CODE: 0.9}
    assert small in found.best_for(ModelTask.CODE)


def test_other_models_stay_as_they_are(tmp_path: Path) -> None:
    plain, mine = ModelCatalog(), catalog(tmp_path, '[models."local/small"]\nwindow = 4000\n')
    assert [one for one in mine if one.name != "small"] == list(plain)


def test_a_tokenizers_path_is_seen_from_the_file_that_names_it(tmp_path: Path) -> None:
    found = catalog(tmp_path, '[models."local/small"]\ntokenizer = "small/tokenizer.json"\n')
    assert found.find("local/small").tokenizer == str(tmp_path / "small" / "tokenizer.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[models", "is no TOML"),
        ("[model.x]", "unknown key model"),
        ("models = 3", "models is 3, and should be a table"),
        ('[models."gpt-5"]', "is no name of a model"),
        ('[models."a/b"]\nwindows = 3', "unknown key windows"),
        ('[models."a/b"]\nwindow = 0', '"a/b".window is 0'),
        ('[models."a/b"]\nwindow = "8k"', "window is '8k'"),
        ('[models."a/b"]\nwindow = true', "window is True"),
        ('[models."a/b"]\nmax_output = 2.5', "max_output is 2.5"),
        ('[models."a/b"]\ntokenizer = "none"', "tokenizer: there is no tokenizer 'none'"),
        ('[models."a/b"]\ntokenizer = ""', "tokenizer is ''"),
        ('[models."a/b"]\naliases = "c"', "aliases is 'c', and should be a list"),
        ('[models."a/b"]\nabilities = ["flying"]', "abilities: unknown 'flying'"),
        ('[models."a/b"]\nfitness = { code = 2 }', "fitness.code is 2"),
        ('[models."a/b"]\nfitness = { cooking = 0.2 }', "fitness: unknown 'cooking'"),
        ('[models."a/b"]\nprice = 3', "price is 3, and should be a table"),
        ('[models."a/b"]\nprice = { input = 1, output = 1 }', "as_of is missing"),
        ('[models."a/b"]\nprice = { input = -1, output = 1, as_of = 2026-01-01 }', "price.input is -1"),
        ('[models."a/b"]\nprice = { input = nan, output = 1, as_of = 2026-01-01 }', "price.input is nan"),
        ('[models."a/b"]\nprice = { input = inf, output = 1, as_of = 2026-01-01 }', "price.input is inf"),
        ('[models."a/b"]\nprice = { input = 1, output = 1, as_of = "May" }', "as_of is 'May'"),
        ('[models."a/b"]\nprice = { input = 1, output = 1, as_of = 2026-01-01, tax = 1 }', "unknown key tax"),
        ('[models."a/b"]\nlike = "c/d"', "there is no model 'c/d'"),
        ('[models."a/b"]\nlike = "a/c"\n[models."a/c"]\nlike = "a/b"', "leads back to"),
        ('[models."openai/b"]\naliases = ["gpt-5.2"]', "would be both openai/"),
        ('[models."a/b"]\naliases = ["x"]\n[models."a/c"]\naliases = ["X"]', "would be both a/"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_the_key_and_the_mend(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        catalog(tmp_path, text)
    assert told in caught.value.message
    assert "models.toml" in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        ModelCatalog(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="it is not UTF-8"):
        ModelCatalog(tmp_path / "bytes.toml")


@given(st.text(max_size=80))
def test_whatever_stands_in_a_file_it_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        read_models(text, file="models.toml")
