"""Who wins, and what a user is told of every mistake at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nextword.config.load import dump_config, find_config, load_config, parse_assignments
from nextword.config.schema import Config
from nextword.config.yaml_text import parse_yaml
from nextword.errors import ConfigError


def yaml_file(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaints(*args: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(*args)  # type: ignore[arg-type]
    return str(caught.value).splitlines()


def test_nothing_given_is_the_defaults() -> None:
    assert load_config(environ={}) == Config()


def test_flag_over_variable_over_file_over_default(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "model: {hidden_size: 1, layers: 1, context: 1}\n")
    environ = {"NEXTWORD_MODEL_HIDDEN_SIZE": "2", "NEXTWORD_MODEL_LAYERS": "2"}
    model = load_config(path, {"model.hidden_size": 3}, environ).model
    sizes = (model.hidden_size, model.layers, model.context, model.embedding_size)
    assert sizes == (3, 2, 1, Config().model.embedding_size)


def test_zero_false_and_null_win_too(tmp_path: Path) -> None:
    path = yaml_file(
        tmp_path, "model: {dropout: 0.5, bias: true}\ntraining: {patience: 3}\nwindows: {stride: 9}"
    )
    overrides = {"model.dropout": 0, "model.bias": False, "windows.stride": None}
    config = load_config(path, overrides, {"NEXTWORD_TRAINING_PATIENCE": "0"})
    assert (config.model.dropout, config.model.bias) == (0, False)
    assert (config.training.patience, config.windows.stride) == (0, None)


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_config(environ={"NEXTWORD_MODEL_LAYERS": ""}) == Config()


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTWORD_TEXT_HOLDOUT_VALID", "1e-1")
    assert load_config().text.holdout.valid == 0.1


def test_a_section_may_be_empty_or_given_whole(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "model:\ntext:\n  # path: x\n")
    assert load_config(path, environ={}) == Config()
    config = load_config(path, {"text.holdout": {"test": 0}}, {})
    assert (config.text.holdout.test, config.text.holdout.valid) == (0, 0.05)


def test_all_mistakes_are_told_at_once_with_their_sources(tmp_path: Path) -> None:
    path = yaml_file(
        tmp_path,
        "model: {hidden_size: 0, layers: true, kind: lstn}\n"
        "hidden_size: 4\n"
        "text: {path: 1984, holdout: {valid: 0.6, test: 0.5}}\n"
        "vocabulary: 5\n",
    )
    environ = {"NEXTWORD_TRAINING_EPOCHS": "-1e0", "NEXTWORD_WINDOWS_STRID": "2"}
    overrides = {"model.hiden_size": 2, "training.seed": None, "model.kind.x": 1}
    assert set(complaints(path, overrides, environ)) == {
        f"{path}: model.hidden_size: 0 is not allowed: must be at least 1 and at most 65,536",
        f"{path}: model.layers: true is not allowed: must be a whole number, at least 1 and "
        "at most 100",
        f"{path}: model.kind: 'lstn' is not allowed: must be one of rnn, lstm, gru, feedforward, "
        "ngram",
        f"{path}: hidden_size: unknown key; did you mean model.hidden_size?",
        f"{path}: text.path: 1984 is not allowed: must be text or a list of text or null, not "
        "empty; put it in quotes",
        f"{path}: text.holdout: valid and test together leave less than a tenth for training",
        f"{path}: vocabulary: 5 is not allowed: must be a section with keys of its own",
        "NEXTWORD_TRAINING_EPOCHS: training.epochs: -1.0 is not allowed: must be above 0 and at "
        "most 1,000,000",
        "NEXTWORD_WINDOWS_STRID: unknown variable; did you mean NEXTWORD_WINDOWS_STRIDE?",
        "--set: model.hiden_size: unknown key; did you mean model.hidden_size?",
        "--set: model.kind.x: unknown key; did you mean model.kind?",
        "--set: training.seed: null is not allowed: must be a whole number, at least 0 and below "
        "4,294,967,296",
    }


def test_keys_that_do_not_go_together_name_their_sources(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "model: {layers: 2, vectors: v.txt}\n")
    (line,) = complaints(path, {"model.input": "one_hot"}, {})
    assert line.startswith(f"{path}, --set: model: vectors need input: embedding")


@pytest.mark.parametrize(
    "text, message",
    [
        ("model:\n  kind: [lstm\n", "line 3, column 1: not YAML: "),
        ("model:\n\tkind: lstm\n", "line 2, column 1: not YAML: "),
        ("- 1\n- 2\n", "holds [1, 2]; expected sections"),
        ("lstm", "holds 'lstm'; expected sections"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: not YAML: "),
        ("model: !!python/object:os.system {}\n", "line 1, column 8: not YAML: "),
        ("model: {layers: !!bool x}\n", "line 1, column 17: not YAML: not a value"),
        ("a: 2024-99-99\n", "line 1, column 4: not YAML: not a value"),
        ("a: \x07\n", "not YAML: "),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_no_yaml_is_placed(tmp_path: Path, text: str, message: str) -> None:
    path = yaml_file(tmp_path, text)
    (line,) = complaints(path, {}, {})
    assert line.startswith(f"{path}: {message}")


def test_every_key_given_twice_is_told(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "model:\n  layers: 1\n  layers: 2\ntext: {}\ntext: {}\n")
    assert sorted(complaints(path, {}, {})) == [
        f"{path}: line 3, column 3: 'layers' is given twice; keep one of them",
        f"{path}: line 5, column 1: 'text' is given twice; keep one of them",
    ]


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "text: &t {lowercase: true}\nmodel: {<<: {layers: 2}, layers: 3}\n")
    assert load_config(path, environ={}).model.layers == 3


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert complaints(missing, {}, {}) == [f"{missing}: cannot be read: No such file or directory"]
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("text: {path: été}".encode("latin-1"))
    (line,) = complaints(latin, {}, {})
    assert line == f"{latin}: byte 13 is not UTF-8; save the file in that encoding"


def test_a_byte_order_mark_and_an_empty_file_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "marked.yaml"
    path.write_bytes(b"\xef\xbb\xbfmodel: {layers: 2}\n")
    assert load_config(path, environ={}).model.layers == 2
    path.write_bytes(b"# nothing\n")
    assert load_config(path, environ={}) == Config()


def test_assignments_are_yaml() -> None:
    assignments = ["a.b=512", "c=1e-3", "d=[x, null]", "e=true", "f=", "g=x=y", "a.b=0"]
    wanted = {"a.b": 0, "c": 0.001, "d": ["x", None], "e": True, "f": None, "g": "x=y"}
    assert parse_assignments(assignments) == wanted
    assert isinstance(parse_assignments(["c=1e-3"])["c"], float)


def test_assignments_that_cannot_be_read_are_all_told() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_assignments(["model.layers", "=3", "text.path=*.txt", "model.kind=gru"])
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "--set model.layers",
        "--set =3",
        "--set text.path=*.txt",
    ]
    assert "KEY=VALUE" in lines[0] and "quotes" in lines[2]


@given(
    st.floats(min_value=1e-300, max_value=100),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.sampled_from(["1e5", "null", "no", "12", "a: b", "- x"]),
)
def test_a_dumped_config_reads_back_the_same(rate: float, path: str, prompt: str) -> None:
    overrides = {"training.learning_rate": rate, "text.path": path, "training.prompts": [prompt]}
    config = load_config(overrides=overrides, environ={})
    text = dump_config(config)
    assert Config.model_validate(parse_yaml(text, "dump")) == config
    assert list(yaml.safe_load(text)) == list(Config.model_fields)


def test_find_config_takes_a_path_first_then_a_shipped_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_resource = tmp_path / "installed" / "shipped_files" / "configs"
    find_resource.mkdir(parents=True)
    for name in ("small.yaml", "large.yaml", "notes.txt"):
        (find_resource / name).touch()
    monkeypatch.setattr("nextword.resources._PACKAGE", tmp_path / "installed")
    monkeypatch.chdir(tmp_path)
    for name in ("small", "small.yaml", "configs/small", "configs/small.yaml"):
        assert find_config(name) == find_resource / "small.yaml"
    yaml_file(tmp_path, "")
    assert find_config("run.yaml") == Path("run.yaml")
    (tmp_path / "small").mkdir()
    assert find_config("small") == find_resource / "small.yaml"
    for name in ("tiny", "../configs/small", "run"):
        with pytest.raises(
            ConfigError, match=r"no built-in configuration \(built-in: large, small\)"
        ):
            find_config(name)


def test_the_files_of_a_text_and_their_names() -> None:
    def text(**keys: object) -> Any:
        return load_config(overrides={f"text.{key}": keys[key] for key in keys}, environ={}).text

    assert text(path="a/b.txt").files_of("valid") == ["a/b.txt"]
    assert text(path=["a/b.txt", "c"]).file_names_of("train") == ["b.txt", "c"]
    split = text(train="a/t.txt", valid="b/v.txt")
    assert split.files_of("train", "valid", "test") == ["a/t.txt", "b/v.txt"]
    assert split.file_names_of("valid") == ["v.txt"]
    assert text(path="-").file_names_of("train") == ["standard input"]


def test_a_shareable_configuration_names_files_without_folders() -> None:
    settings = {
        "text.path": ["/home/me/a.txt", "-"],
        "model.vectors": "/home/me/glove.txt",
        "training.seed": 7,
    }
    config = load_config(overrides=settings, environ={})
    shared = config.shareable(threads=3)
    assert shared.text.path == ["a.txt", "-"] and shared.model.vectors == "glove.txt"
    assert (shared.training.threads, shared.training.seed) == (3, 7)
    fixed = config.model_copy(
        update={"training": config.training.model_copy(update={"threads": 2})}
    )
    assert fixed.shareable(threads=3).training.threads == 2


def test_a_tilde_is_the_home_folder_wherever_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    file = tmp_path / "c.yaml"
    file.write_text("text: {path: [~/a.txt, -, ./~]}\nmodel: {vectors: ~/v.txt}\n")
    config = load_config(file, environ={})
    assert config.text.path == [f"{tmp_path}/a.txt", "-", "./~"]
    assert config.model.vectors == f"{tmp_path}/v.txt"
    parts = {f"NEXTWORD_TEXT_{part}": f"~/{part}" for part in ("TRAIN", "VALID", "TEST")}
    config = load_config(environ=parts)
    assert [config.text.train, config.text.valid, config.text.test] == [
        f"{tmp_path}/{part}" for part in ("TRAIN", "VALID", "TEST")
    ]
    assert load_config(overrides={"text.path": "~/x"}, environ={}).text.path == f"{tmp_path}/x"
