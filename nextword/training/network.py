"""Training a network as a run: prepare its parts, train, save, measure."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from nextword.config.schema import Config
from nextword.device import choose_device, choose_threads
from nextword.errors import ModelError
from nextword.evaluation.stream import mean_loss
from nextword.formatting import counted
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork
from nextword.inference.model_folder import WEIGHTS, load_model_folder, save_mixture
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.session import Prediction
from nextword.losses.build import build_loss
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.storage.files import remove_leftovers, write_atomically
from nextword.storage.run_folder import RunFolder
from nextword.storage.tensors import read_tensors
from nextword.text.dataset import EncodedText
from nextword.training.auto_settings import resolve
from nextword.training.callbacks import (
    Callback,
    CallbackList,
    StepLog,
    TensorBoard,
    ValidationLog,
    check_tensorboard,
)
from nextword.training.checkpoint import (
    BestModel,
    RunNotes,
    SavedState,
    Saver,
    read_state,
    refuse_changes,
)
from nextword.training.clock import spread
from nextword.training.fit_mixture import MAX_WORDS as FITTED_WORDS
from nextword.training.fit_mixture import Components, count_components, fit_mixture
from nextword.training.init_embeddings import start_from_text, start_from_vectors
from nextword.training.result import TrainingResult, conclude, default_prompts, model_card
from nextword.training.run_context import RunContext
from nextword.training.time_plan import Reach, TimePlan, plan_time
from nextword.training.trainer import DivergedError, Trainer
from nextword.windows import build_batches

VALIDATION_STREAMS = 16
"""Streams in which validation reads its text in parallel, at most; final figures use one."""
WORDS_PER_STREAM = 2_000
"""Fewest words of such a stream; each begins without context, which raises the loss."""
VALIDATION_WORDS = 50_000
"""Words of the validation part that are read while training, at most."""
CLOSING_FACTOR = 2.5
"""A word costs so many times more in the final measurement than in a validation."""
SAFER_RATE = 10
"""A training that diverged is advised to continue with a learning rate this many times lower."""


@dataclass(frozen=True)
class Preparation:
    """What the training of a network needs."""

    config: Config
    """Every open setting resolved."""
    text: EncodedText
    loaded: LoadedNetwork
    """The network that is trained, with its words."""
    trainer: Trainer
    saved: SavedState | None
    """The state that the run continues from; None for a new run."""
    plan: TimePlan | None
    """How the wait is shared out; None without a budget of time."""
    components: Components | None
    """What may be mixed with the network, where it was counted already."""


def train_network(run: RunContext, should_stop: Callable[[], bool]) -> TrainingResult:
    """Train a network, keep the best one, mix n-grams in where they help, and measure."""
    prepared = prepare(run, should_stop)
    text, trainer, folder = prepared.text, prepared.trainer, run.folder
    for path in (folder.path, folder.model, folder.state.parent):
        remove_leftovers(path)
    if prepared.saved is not None:
        _restore_files(run, prepared, prepared.saved)
    run.write_config(text)
    saver = Saver(folder, trainer, lambda: _notes(run), run.config.training.save_every)
    if not run.resumed:
        saver.save()  # from here on, a resume is possible
    run.say(_describe_training(prepared))
    if trainer.finished:
        run.say(_describe_finished(trainer, run.resumed))
    trainer.callback = _callbacks(run, prepared, saver)
    trainer.closing_validations = _closing_validations(text)
    try:
        finished = trainer.run()
        if finished and trainer.stalled:
            run.say(_describe_stall(trainer))
        run.say(_describe_measuring(prepared, run.full))
        saver.save()
        _validate_before_leaving(folder, trainer, finished)
    except DivergedError as error:
        raise DivergedError(f"{error}; {_how_to_continue(run)}") from error
    progress = trainer.progress
    best = load_model_folder(folder.model).to(str(trainer.device))
    assert isinstance(best, LoadedNetwork)
    plan, say, shown = prepared.plan, run.say, run.callback.on_progress
    components = prepared.components or count_components(text, run.config, say, shown)
    most = FITTED_WORDS if plan is None else plan.fit_words
    mixture = fit_mixture(best, components, text, run.config, say, shown, most)
    save_mixture(folder.model, mixture)
    best = best.with_mixture(mixture)
    return conclude(
        run,
        best,
        text.parts,
        progress,
        stopped=not finished,
        most_words=None if plan is None or run.full else plan.final_words,
    )


def prepare(run: RunContext, should_stop: Callable[[], bool] = lambda: False) -> Preparation:
    """Read the text, build network and trainer, and restore the saved state of a resumed run.

    Raises:
        NextwordError: the text, a setting or the saved state does not fit.
    """
    saved = read_state(run.folder.state) if run.resumed else None
    notes = None if saved is None else saved.notes
    if run.config.training.tensorboard:
        check_tensorboard()
    device = choose_device(run.config.training.device)
    threads = None if notes is None else notes.threads
    choose_threads(run.config.training.threads, threads, run.say)
    text = run.read_text()
    reach = Reach(run, text, device)
    words = len(text.parts["train"].ids)
    config = resolve(run.config, words, reach if reach.timed else None)
    if not ("start" in config.model.model_fields_set or reach.has_time_for_start_vectors):
        config = config.model_copy(
            update={"model": config.model.model_copy(update={"start": "random"})}
        )
    run.config = config
    # a larger network may have been measured after the one that was chosen
    sizes = (config.model.hidden_size, config.model.embedding_size)
    run.reason = reach.reasons.get(sizes, "")
    if run.reason:
        run.say(run.reason)
    if notes is not None:
        text_changed = run.folder.read_record().text_sha256 != text.sha256
        refuse_changes(run.folder, notes.config, config, text_changed)
    torch.manual_seed(config.training.seed)
    loaded = _build(run, text, saved, device)
    plan, components = None, None
    if config.training.minutes is not None:
        components = count_components(text, config, run.say, run.callback.on_progress)
        run.callback.on_progress("measuring this machine", 0, 0)
        total = 60 * config.training.minutes
        plan = plan_time(total, loaded, components, text, VALIDATION_STREAMS)
    trainer = Trainer(
        loaded.network,
        build_loss(config.training, loaded.counts),
        build_batches(text.parts["train"].ids, config),
        config.training,
        device,
        _validation(run, text, loaded, VALIDATION_WORDS if plan is None else plan.look_words),
        should_stop=should_stop,
        sample=_samples(config, text, loaded),
        clock=run.clock,
        closing_seconds=0.0 if plan is None else plan.closing_seconds,
    )
    if saved is not None:
        saved.restore(trainer)
    return Preparation(config, text, loaded, trainer, saved, plan, components)


def _build(
    run: RunContext, text: EncodedText, saved: SavedState | None, device: torch.device
) -> LoadedNetwork:
    """The network with its start values; those of a saved one are restored later."""
    config, settings = run.config, run.config.model
    model = build_network(settings, len(text.tokenizer))
    counts = text.vocabulary.counts
    model.output.start_from_counts(torch.from_numpy(counts))
    if saved is not None:
        saved.freeze(model)
    elif settings.vectors:
        run.callback.on_progress(f"reading {Path(settings.vectors).name}", 0, 0)
        run.say(start_from_vectors(model, settings, text.tokenizer.words))
    elif settings.start == "cooccurrence" and settings.input == "embedding":
        progress = partial(run.callback.on_progress, "start vectors from the text")
        start_from_text(model, settings, text.parts["train"].ids, config.training.seed, progress)
    described = settings.model_dump(mode="json")
    return TorchNetwork(model.to(device), text.tokenizer, described, counts)


def _validation(
    run: RunContext, text: EncodedText, loaded: LoadedModel, most_words: int
) -> Callable[[], float]:
    """Measures nats per word on the validation part, or else on the training part."""
    if "valid" not in text.parts:
        run.say("no validation part: perplexities are those of the training text itself")
    part = text.parts.get("valid", text.parts["train"])
    ids = spread(part.ids, min(most_words, VALIDATION_WORDS))
    streams = min(VALIDATION_STREAMS, max(1, len(ids) // WORDS_PER_STREAM))
    progress = partial(run.callback.on_progress, "validating")
    return lambda: mean_loss(loaded.network, ids, streams, progress)


def _samples(
    config: Config, text: EncodedText, loaded: LoadedModel
) -> Callable[[], dict[str, list[Prediction]]]:
    """Predicts the three most likely next words of each prompt."""
    part = text.parts.get("valid", text.parts["train"])
    prompts = config.training.prompts or default_prompts(
        text.tokenizer, part.ids[:VALIDATION_WORDS]
    )
    model = Model(loaded)
    return lambda: {prompt: model.predict(prompt, k=3) for prompt in prompts}


def _callbacks(run: RunContext, prepared: Preparation, saver: Saver) -> Callback:
    """Everything that happens beside the training loop, in order.

    The order matters to a resume: the step log and the saver come last, so that a step whose
    callback failed is neither logged nor saved, and is repeated.
    """
    card = model_card(prepared.config, prepared.text, prepared.loaded)
    tensorboard = [TensorBoard(run.folder.path)] if prepared.config.training.tensorboard else []
    return CallbackList(
        BestModel(run.folder.model, prepared.trainer, prepared.loaded, card),
        ValidationLog(run),
        run.callback,
        *tensorboard,
        StepLog(run),
        saver,
    )


def _notes(run: RunContext) -> RunNotes:
    return RunNotes(run.config, torch.get_num_threads(), run.folder.log.size())


def _restore_files(run: RunContext, prepared: Preparation, saved: SavedState) -> None:
    """Put the best model and the log where they were when the state was saved.

    Raises:
        ModelError: the best model is damaged, or of another run.
    """
    folder, loaded = run.folder, prepared.loaded
    weights = folder.model / WEIGHTS
    if folder.best.exists():
        read_tensors(folder.best, ModelError)  # verifies the checksum
        write_atomically(weights, folder.best.read_bytes())
        folder.best.unlink()
    if prepared.trainer.progress.validations:
        # damage is found now, not after hours of training
        best = load_model_folder(folder.model)
        if (best.tokenizer.words, best.settings) != (loaded.tokenizer.words, loaded.settings):
            raise ModelError(
                f"{weights}: is of another run; replace it with the weights of this run"
            )
    folder.log.truncate(saved.notes.log_size)


def _closing_validations(text: EncodedText) -> float:
    """What the work after the last step costs, in validations.

    The held-out parts are predicted in one stream, mixed with n-grams; before that the mixture is
    fitted, and after an early stop the network is validated once more.
    """
    words = {name: len(part.ids) for name, part in text.parts.items()}
    validated = min(words.get("valid", words["train"]), VALIDATION_WORDS)
    held_out = words.get("valid", 0) + words.get("test", 0)
    fitted = min(words.get("valid", 0), FITTED_WORDS)
    return 1 + CLOSING_FACTOR * (held_out + fitted) / max(validated, 1)


def _how_to_continue(run: RunContext) -> str:
    """The command that continues a training that diverged, from its last finite state."""
    name = shlex.quote(run.folder.reference)
    training = run.config.training
    rate = training.learning_rate / SAFER_RATE
    if training.weight_decay:  # a step shrinks the weights by the product of rate and decay
        rate = min(rate, 1 / (SAFER_RATE * training.weight_decay))
    return (
        f"continue from the last save with: nextword train --resume --run {name} "
        f"--set training.learning_rate={float(f'{rate:.1g}'):g}"
    )


def _validate_before_leaving(folder: RunFolder, trainer: Trainer, finished: bool) -> None:
    """Validate a stopped training once more, so that what it learned since may become its model.

    An uninterrupted training has no such validation, so a resume must forget it: the best model
    of the regular validations is kept aside.
    """
    progress = trainer.progress
    if finished or (progress.best_step == progress.step and progress.validations):
        return
    weights = folder.model / WEIGHTS
    if weights.exists():
        write_atomically(folder.best, weights.read_bytes())
    trainer.measure()


def _describe_measuring(prepared: Preparation, full: bool) -> str:
    """Which text the final figures are taken from."""
    parts = [len(part.ids) for name, part in prepared.text.parts.items() if name != "train"]
    most = max(parts, default=0)
    if prepared.plan is not None and not full and prepared.plan.final_words < most:
        return (
            f"measuring the best model on {prepared.plan.final_words:,} words of each held-out "
            "part, as many as the time allows (all of them: nextword eval)"
        )
    return "measuring the best model on the held-out parts"


def _describe_finished(trainer: Trainer, resumed: bool) -> str:
    """Why no step is left to train, and the setting that leaves some."""
    if not resumed:
        return "the time budget ran out before the first step; raise training.minutes"
    if trainer.stalled:
        return "this run was finished by training.patience; to go on: --set training.patience=0"
    return "this run was already finished; to train it further: --set training.epochs=N"


def _describe_stall(trainer: Trainer) -> str:
    progress = trainer.progress
    return (
        f"step {progress.step:,} of {trainer.total_steps:,}: no improvement since step "
        f"{progress.best_step:,}, so training ends here (training.patience)"
    )


def _describe_training(prepared: Preparation) -> str:
    network, training, trainer = prepared.config.model, prepared.config.training, prepared.trainer
    length = counted(trainer.total_steps, "step")
    if training.minutes is not None:
        length = f"at most {training.budget}"
    return (
        f"{network.architecture.title}, {network.layers} x {network.hidden_size}, "
        f"{prepared.loaded.parameter_count():,} parameters, {length} on {trainer.device}"
    )
