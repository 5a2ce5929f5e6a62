"""Settings: where they come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_engine.config import Settings, load_settings
from rag_engine.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings(environment={}) == Settings()


def test_rag_toml_of_the_working_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("[retrieval]\nk = 3\n", encoding="utf-8")
    assert load_settings(environment={}).retrieval.k == 3


def test_the_environment_stands_over_the_file_and_arguments_over_both(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("[retrieval]\nk = 3\ndepth = 50\nmode = 'dense'\n", encoding="utf-8")
    settings = load_settings(
        environment={"RAG_ENGINE__RETRIEVAL__K": "4", "RAG_ENGINE__RETRIEVAL__DEPTH": "60"},
        overrides={"retrieval": {"k": 5}},
    )
    assert (settings.retrieval.k, settings.retrieval.depth, settings.retrieval.mode.value) == (5, 60, "dense")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[retrieval]\nkk = 3\n", "unknown setting retrieval.kk"),
        ("[retreival]\nk = 3\n", "unknown setting retreival"),
        ("[retrieval]\nk = 'many'\n", "retrieval.k"),
        ("[retrieval]\nk = 0\n", "retrieval.k"),
        ("retrieval = 3\n", "retrieval is not a section"),
        ("[retrieval\n", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_key(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "rag.toml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment={})
    assert says in caught.value.message
    assert "rag.toml" in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(environment={})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no settings file"):
        load_settings(tmp_path / "absent.toml", environment={})


@pytest.mark.parametrize("name", ["RAG_ENGINE__K", "RAG_ENGINE__RETRIEVAL__", "RAG_ENGINE____K"])
def test_an_environment_variable_that_names_no_setting_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_settings(environment={name: "1"})


def test_an_unknown_key_in_the_environment_is_refused_and_known_ones_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown setting retrieval\.kk") as caught:
        load_settings(environment={"RAG_ENGINE__RETRIEVAL__KK": "1"})
    assert "depth" in caught.value.hint


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().retrieval.k = 5  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    for section in Settings.model_fields:
        for key, field in type(getattr(Settings(), section)).model_fields.items():
            assert field.description, f"{section}.{key}"


def test_passwords_are_a_list_in_the_file_and_lines_in_the_environment_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("[ingestion]\npasswords = ['a, b', '[c']\n", encoding="utf-8")
    (tmp_path / "rag.toml").chmod(0o600)
    for environment in ({}, {"RAG_ENGINE__INGESTION__PASSWORDS": "a, b\n\n[c\n"}):
        settings = load_settings(environment=environment)
        assert [password.get_secret_value() for password in settings.ingestion.passwords] == ["a, b", "[c"]
        assert "a, b" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o600, False)])
def test_a_file_with_passwords_that_others_may_read_is_warned_of(
    tmp_path: Path, mode: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[ingestion]\npasswords = ['secret']\n", encoding="utf-8")
    file.chmod(mode)
    load_settings(file, environment={})
    assert ("others may read it" in caplog.text) is warned
    assert "secret" not in caplog.text


def test_a_wrong_password_setting_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("[ingestion]\npasswords = [{hidden = 'secret'}]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment={})
    assert "secret" not in str(caught.value)
