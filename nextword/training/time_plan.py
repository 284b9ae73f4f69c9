"""How a training with a budget of time shares it out, by what is measured on this machine.

The budget is the user's whole wait, from start to the last line. What has passed before the first
step is known; a few real steps, looks and scored words tell what the rest costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from nextword.config.schema import Config
from nextword.evaluation.stream import mean_loss
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import NgramDecoder
from nextword.inference.loaded_model import LoadedNetwork
from nextword.inference.mixture import Parts
from nextword.inference.scoring import score_stream
from nextword.losses.build import build_loss
from nextword.models.registry import build_network
from nextword.text.dataset import EncodedText
from nextword.training.fit_mixture import Components
from nextword.training.run_context import RunContext
from nextword.training.trainer import Trainer
from nextword.windows import build_batches

CLOSING_SHARE = 0.1
"""Share of the wait for what follows the last step: fitting the mixture, and the final figures."""
FITTING_SHARE = 0.4
"""Share of that for the fit."""
WRITING_SECONDS = 0.5
"""What follows the last step besides scoring text and fitting the mixture: files are written."""
GATE_SECONDS = 1.5
"""Fitting the gate of a mixture to the scores of its parts."""
LOOK_SHARE = 0.01
"""Share of the wait for one validation."""
START_SHARE = 0.06
"""Share of the wait for start vectors."""
STEPS_SHARE = 0.75
"""About what is left for steps of the wait after preparation."""
FEWEST_WORDS = 1_000
"""Words of a validation, a fit or a final figure, at least."""
PROBE_STEPS = 2
"""Steps that are timed, after one to warm up."""
PROBE_WORDS = 512
"""Words that are scored to learn what scoring costs."""
LOOK_PROBE_WORDS = 2_048
"""Words that are validated to learn what a validation costs."""


@dataclass(frozen=True)
class TimePlan:
    """What a training with a budget of time can afford."""

    closing_seconds: float
    """Reserved for what follows the last step."""
    look_words: int
    """Words of a validation."""
    fit_words: int
    """Words that the mixture is fitted to."""
    final_words: int
    """Words of each held-out part that the final figures are taken from."""


def training_speed(config: Config, text: EncodedText, device: torch.device) -> float:
    """Words a second that a network learns, measured with a few real steps.

    Args:
        config: every setting of the step resolved.
        text: the text.
        device: where it is trained.
    """
    with torch.random.fork_rng():  # the run's own random numbers stay as they are
        model = build_network(config.model, len(text.tokenizer)).to(device)
        trainer = Trainer(
            model,
            build_loss(config.training, text.vocabulary.counts),
            build_batches(text.parts["train"].ids, config),
            config.training,
            device,
            validate=lambda: 0.0,
        )
        trainer.step()
        words, started = trainer.progress.words, time.perf_counter()
        for _ in range(PROBE_STEPS):
            trainer.step()
        return (trainer.progress.words - words) / (time.perf_counter() - started)


class Reach:
    """Words that a network can learn from in the time that a run has, measured.

    Args:
        run: the run, whose wait has begun.
        text: the text.
        device: where it is trained.
    """

    def __init__(self, run: RunContext, text: EncodedText, device: torch.device) -> None:
        self.run = run
        self.text = text
        self.device = device
        minutes = run.config.training.minutes
        # the settings of a resumed run are fixed
        self.timed = minutes is not None and not run.resumed
        self.seconds = 60 * (minutes or 0.0)
        self.speed: float | None = None
        """Words a second of the network measured last."""
        self.reasons: dict[tuple[int, int], str] = {}
        """What was measured, for the screen, by hidden size and size of the word vectors."""

    def __call__(self, config: Config) -> float:
        """Words that a network of this configuration can learn from."""
        self.run.callback.on_progress("measuring this machine", 0, 0)
        speed = self.speed = training_speed(config, self.text, self.device)
        steps = STEPS_SHARE * max(0.0, self.seconds - self.run.clock())
        passes = speed * steps / len(self.text.parts["train"].ids)
        hidden, vectors = sizes = config.model.hidden_size, config.model.embedding_size
        self.run.reason = self.reasons[sizes] = (
            f"{hidden} units and word vectors of {vectors} learn {speed:,.0f} words/s here, "
            f"{passes:.1f} passes in about {steps:.0f} s"
        )
        return speed * steps

    @property
    def has_time_for_start_vectors(self) -> bool:
        """Whether start vectors from the text take a small part of the time.

        Counting costs about as much as learning a thirtieth of the words, the decomposition as much
        as learning two words for each of the vocabulary.
        """
        if self.speed is None:
            return True
        words = len(self.text.parts["train"].ids) / 30 + 2 * len(self.text.tokenizer)
        return words / self.speed <= START_SHARE * self.seconds


def plan_time(
    total: float,
    loaded: LoadedNetwork,
    components: Components,
    text: EncodedText,
    streams: int,
) -> TimePlan:
    """Measure what validations and final figures cost, and share out the wait.

    Args:
        total: the whole wait in seconds.
        loaded: the network, untrained or not.
        components: what may be mixed with it.
        text: the text.
        streams: of a validation.
    """
    held_out = text.parts.get("valid", text.parts["train"]).ids
    look = _rate(
        lambda words: mean_loss(loaded.network, held_out[:words], streams),
        min(len(held_out), LOOK_PROBE_WORDS),
    )

    def scoring(caches: Sequence[CacheSettings]) -> Callable[[int], object]:
        grams = None if components.ngram is None else NgramDecoder(components.ngram)
        parts = Parts(loaded.network_decoder(), grams, [Cache(each) for each in caches])
        size = len(loaded.tokenizer)
        return lambda words: list(
            score_stream(parts.read, held_out[:words], size, lambda found, targets, here: None)
        )

    probe = min(len(held_out), PROBE_WORDS)
    final, scored = _rate(scoring([]), probe), CLOSING_SHARE * total
    parts = [part.ids for name, part in text.parts.items() if name != "train"]
    final_words = max(FEWEST_WORDS, int((1 - FITTING_SHARE) * scored * final / max(len(parts), 1)))
    seconds = WRITING_SECONDS + sum(min(len(ids), final_words) / final for ids in parts)
    fit_words = FEWEST_WORDS
    if components.ngram is not None or components.caches:
        fit = _rate(scoring(components.caches), probe)
        fit_words = max(FEWEST_WORDS, int(FITTING_SHARE * scored * fit))
        seconds += GATE_SECONDS + min(len(held_out), fit_words) / fit
    return TimePlan(
        closing_seconds=seconds,
        look_words=max(FEWEST_WORDS, int(LOOK_SHARE * total * look)),
        fit_words=fit_words,
        final_words=final_words,
    )


def _rate(work: Callable[[int], object], words: int) -> float:
    """Words a second of some work on a number of words."""
    started = time.perf_counter()
    work(words)
    return words / max(time.perf_counter() - started, 1e-9)
