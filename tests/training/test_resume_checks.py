"""What may change when a run goes on, and that all the rest is refused by name."""

from pathlib import Path

import pytest

from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.errors import ConfigError
from nextword.storage.run_folder import RunFolder
from nextword.training.checkpoint import CHANGEABLE_KEYS, refuse_changes

RUN = RunFolder(Path("runs/a"))


def configured(**changes: object) -> Config:
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    return load_config(overrides=overrides, environ={})


def test_keys_that_affect_only_coming_steps_may_change() -> None:
    now = configured(
        text__path="moved.txt",
        training__epochs=9,
        training__learning_rate=0.001,
        training__clip_norm=0.5,
        training__device="cuda",
        training__threads=7,
        training__save_every=1,
        mixture__ngram=False,
    )
    refuse_changes(RUN, configured(text__path="here.txt"), now, text_changed=False)


def test_every_other_change_is_named_at_once() -> None:
    now = configured(
        text__lowercase=True,
        vocabulary__min_count=7,
        windows__length=3,
        model__layers=2,
        training__seed=9,
        training__batch_size=5,
        training__epochs=9,
    )
    with pytest.raises(ConfigError) as caught:
        refuse_changes(RUN, configured(), now, text_changed=True)
    message = str(caught.value)
    assert message.startswith("runs/a: the text, text.lowercase (was False, now True), ")
    for named in (
        "vocabulary.min_count (was 2, now 7)",
        "windows.length (was 48, now 3)",
        "model.layers (was 1, now 2)",
        "training.seed (was 1, now 9)",
        "training.batch_size (was 32, now 5)",
        "cannot change in a resume",
    ):
        assert named in message
    assert "epochs" not in message and "\n" not in message


def test_the_same_files_in_other_parts_are_another_text() -> None:
    begun = configured(text__path=["a.txt", "b.txt"])
    now = configured(text__train="a.txt", text__valid="b.txt")
    with pytest.raises(ConfigError, match="the text cannot change"):
        refuse_changes(RUN, begun, now, text_changed=False)


def test_the_keys_that_are_free_exist_and_are_in_the_manual() -> None:
    keys = {f"{s}.{k}" for s, section in configured().model_dump().items() for k in section}
    assert keys >= CHANGEABLE_KEYS
    manual = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    for key in CHANGEABLE_KEYS:
        assert f"`{key}`" in manual, key
