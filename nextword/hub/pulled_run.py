"""A run folder made of a model that was fetched."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from nextword.config.load import dump_config
from nextword.config.schema import Config, ModelConfig, TextConfig
from nextword.errors import ModelError
from nextword.hub.files import content_digest
from nextword.hub.registry import Fetched, Registry
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.model_folder import CONFIG, load_model_folder
from nextword.storage.files import write_atomically
from nextword.storage.run_folder import RunFolder, run_folder
from nextword.storage.run_record import RunRecord
from nextword.storage.run_replacement import check_replaceable, replacing_run


@dataclass(frozen=True)
class PulledRun:
    """The result of a pull."""

    folder: RunFolder
    loaded: LoadedModel
    fetched: Fetched


def pull_run(
    registry: Registry, name: str, revision: str | None = None, force: bool = False
) -> PulledRun:
    """Make a run of a revision's model.

    Args:
        registry: where the model is.
        name: of the run.
        revision: of the model; the newest by default.
        force: replace a run of that name.

    Raises:
        ConfigError: there is a run of that name, or it is being trained.
        ModelError: there is no such revision, or it holds no model or a damaged one.
        NextwordError: the registry cannot be reached, or the run cannot be written; nothing of it
            is left.
    """
    target = run_folder(name)
    check_replaceable(target, force)
    with replacing_run(target, force) as run:
        run.model.mkdir()
        fetched = registry.fetch(run.model, revision)
        try:
            loaded = load_model_folder(run.model)
            config = _config(loaded)
        except ModelError as error:
            raise ModelError(str(error).replace(str(run.model), registry.location)) from None
        record = RunRecord.of_this_machine(
            torch="",
            threads=1,
            text_sha256=content_digest(run.model),
            vocabulary_size=len(loaded.tokenizer),
            source=f"{registry.location}, revision {fetched.revision}",
        )
        run.write_record(record)
        write_atomically(run.config, dump_config(config))
    return PulledRun(target, loaded, fetched)


def _config(loaded: LoadedModel) -> Config:
    """The configuration of a model without its text and training.

    Raises:
        ModelError: a setting is invalid.
    """
    known = {
        key: value for key, value in loaded.settings.items() if key in ModelConfig.model_fields
    }
    known |= {"vectors": None, "freeze_vectors": False}  # whose file is elsewhere
    tokenizer = loaded.tokenizer
    try:
        model = ModelConfig.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, ("model", *first["loc"])))
        raise ModelError(f"{CONFIG}: {key}: {first['msg']}") from None
    text = TextConfig(tokenizer=tokenizer.kind, lowercase=tokenizer.lowercase)
    return Config(text=text, model=model)
