"""What a YAML file may say: one documented model per section, every field with its unit.

The defaults here are the lowest of the four ranks: flag, ``NEXTWORD_*`` variable, YAML, default.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nextword.config.kinds import KINDS
from nextword.config.types import (
    Count,
    Device,
    Encoding,
    File,
    Fraction,
    Kind,
    NonNegative,
    Number,
    Positive,
    Whole,
    Width,
)


def _consistent(*problems: str | None) -> None:
    """ValueError with a line for each problem there is."""
    if found := [problem for problem in problems if problem]:
        raise ValueError("\n".join(found))


class Section(BaseModel):
    """A part of the configuration: immutable, every key known, every field documented."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Holdout(Section):
    """Shares of the text that are kept out of training, as whole blocks."""

    valid: Fraction = 0.05
    """Share for validation: chooses the best model and stops the training."""
    test: Fraction = 0.05
    """Share for the final measurement; nothing is chosen by it."""

    @model_validator(mode="after")
    def _leave_something(self) -> Holdout:
        _consistent(
            "valid and test together leave less than a tenth for training"
            if self.valid + self.test > 0.9
            else None
        )
        return self


class TextConfig(Section):
    """Which text, and how it becomes words."""

    path: File | list[File] | None = None
    """A file, a folder, several of them, or ``-`` for standard input. Default: the shipped text."""
    train: File | None = None
    """With ``valid`` (and ``test``): files that are split already, instead of ``path``."""
    valid: File | None = None
    """The validation file of a text that is split already."""
    test: File | None = None
    """The test file of a text that is split already."""
    encoding: Encoding = "utf-8"
    """The files' character encoding, by its Python name."""
    tokenizer: Literal["words", "whitespace"] = "words"
    """``words`` for prose; ``whitespace`` for text that is tokenized already, a line a sentence."""
    lowercase: bool = False
    """Fold case before splitting."""
    holdout: Holdout = Holdout()
    """What is kept out of training, where the text is not split already."""

    @model_validator(mode="after")
    def _one_way_of_splitting(self) -> TextConfig:
        alone = self.train is None and (self.valid or self.test)
        both = self.train is not None and self.path is not None
        _consistent(
            "path is an empty list; name a file or folder" if self.path == [] else None,
            "valid and test name files only together with train" if alone else None,
            "give either path or train, not both" if both else None,
            "train needs a valid file beside it" if self.train and not self.valid else None,
        )
        return self

    def files_of(self, *parts: str) -> list[str]:
        """The files and folders that are named for some parts.

        Args:
            parts: ``train``, ``valid`` or ``test``; a text that is not split has the same for all.
        """
        if self.train is not None:
            return [file for part in parts if (file := getattr(self, part)) is not None]
        return [self.path] if isinstance(self.path, str) else list(self.path or [])

    def file_names_of(self, *parts: str) -> list[str]:
        """The same without their folders, which are nobody's business where a model goes."""
        paths = self.files_of(*parts) or ["-"]
        return ["standard input" if path == "-" else Path(path).name for path in paths]


class VocabularyConfig(Section):
    """Which words the network knows; counted in the training part alone."""

    max_size: Annotated[int, Number, Field(ge=3, le=100_000_000)] = 30_000
    """Most words, the special ones included."""
    min_count: Count = 2
    """Words seen less often become ``<unk>``."""


class WindowsConfig(Section):
    """How the stream of words is cut for truncated back-propagation through time."""

    length: Count = 48
    """Words in a window: how far back-propagation reaches."""
    stride: Count | None = None
    """Words from one window's start to the next. Default: ``length``, every word once an epoch."""
    carry_state: bool = True
    """Start a window with the state its predecessor ended with (where stride = length)."""

    @model_validator(mode="after")
    def _read_every_word(self) -> WindowsConfig:
        _consistent(
            f"stride {self.stride} is above length {self.length}: the words between windows would "
            "never be learned"
            if self.step > self.length
            else None
        )
        return self

    @property
    def step(self) -> int:
        """The stride, resolved: in words."""
        return self.stride or self.length

    @property
    def continuous(self) -> bool:
        """Whether the recurrent state runs on from window to window."""
        return self.carry_state and self.step == self.length


class ModelConfig(Section):
    """The network."""

    kind: Kind = "lstm"
    """The kind of model."""
    activation: Literal["tanh", "sigmoid", "relu"] = "tanh"
    """f of the standard RNN and of the feed-forward network; LSTM and GRU have their own."""
    input: Literal["embedding", "one_hot"] = "embedding"
    """``one_hot``: the first layer's input weights act on the one-hot vector itself."""
    vectors: File | None = None
    """A word2vec or GloVe file, text or binary, that the embedding starts from."""
    freeze_vectors: bool = False
    """Keep the words found in ``vectors`` as they are."""
    start: Literal["cooccurrence", "random"] = "cooccurrence"
    """What the embedding starts from where no ``vectors`` are named: what stands near what in the
    training text, or chance. Unless set, chance if there are less than ten seconds to train."""
    embedding_size: Width = 256
    """Width of a word's vector."""
    hidden_size: Width = 256
    """Width of the hidden state. Unless set, follows from how much is read."""
    layers: Annotated[int, Number, Field(ge=1, le=100)] = 1
    """Recurrent (or hidden) layers, one above the other."""
    context: Annotated[int, Number, Field(ge=1, le=1000)] = 5
    """feedforward: how many words back the network sees."""
    order: Annotated[int, Number, Field(ge=1, le=9)] = 5
    """Words in the longest n-grams: of an ngram model, and of the one mixed with a network."""
    bias: bool = True
    """Whether layers add a bias; the article's equations have none."""
    tie_weights: bool = True
    """Score words by the vectors they are read with (a projection joins unequal sizes)."""
    dropout: Fraction = 0.3
    """Share dropped from the output features and between layers; one mask a window. Unless set,
    follows from how often the text is read."""
    input_dropout: Fraction | None = None
    """Share dropped from the words' vectors; one mask a window. Default: ``dropout``."""
    word_dropout: Fraction = 0.0
    """Share of the vocabulary whose vectors are dropped whole for a window."""
    weight_dropout: Fraction = 0.0
    """Share of the weights W_hh from state to state that is dropped for a window."""

    @model_validator(mode="after")
    def _use_vectors(self) -> ModelConfig:
        one_hot = self.input == "one_hot" and self.vectors
        _consistent(
            "vectors need input: embedding, a one-hot vector is not learned" if one_hot else None,
            "freeze_vectors needs vectors" if self.freeze_vectors and not self.vectors else None,
        )
        return self

    @property
    def title(self) -> str:
        """The model's name in a table, such as ``lstm`` or ``rnn (tanh)``."""
        return KINDS[self.kind].title.format_map(dict(self))

    @property
    def ties(self) -> bool:
        """Whether input and output share their matrix: a one-hot input has none to share."""
        return self.tie_weights and self.input == "embedding"


class TrainingConfig(Section):
    """How the weights are found."""

    epochs: Positive = 4.0
    """Passes over the training part; a fraction is allowed. Unless set, follows from the text."""
    minutes: Positive | None = None
    """A budget: the schedule ends when the time does, or sooner, when ``epochs`` are over (unless
    set, those after which a short text is known by heart); not exactly repeatable."""
    batch_size: Count = 32
    """Windows side by side in a step. Unless set, follows from the text."""
    accumulate: Count = 1
    """Batches whose gradients are added up before the weights move."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or plain stochastic gradient descent."""
    learning_rate: Annotated[float, Number, Field(gt=0, allow_inf_nan=False)] = 0.012
    """The peak rate. Unless set, follows from the network and the optimizer."""
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    """``cosine`` falls to 2 % of the peak; ``plateau`` divides by four when validation stalls."""
    warmup_steps: Whole = 100
    """Steps over which the rate rises to its peak; at most a tenth of the training."""
    weight_decay: NonNegative = 0.01
    """Decoupled decay, on matrices only."""
    clip_norm: NonNegative = 1.0
    """Largest norm of the gradient; 0 switches clipping off."""
    activation_penalty: NonNegative = 1.0
    """Pull of the output features towards zero: this times their mean square."""
    change_penalty: NonNegative = 0.5
    """Pull against change from one place to the next: this times the mean square of it."""
    loss: Literal["sampled", "exact"] = "sampled"
    """``exact``: softmax over all words. ``sampled``: common ones exactly, a sample of the rest."""
    sampled_head: Count = 1000
    """sampled: how many of the most frequent words are always scored."""
    sampled_tail: Count = 512
    """sampled: how many of the other words are drawn at each step."""
    validations: Count = 10
    """How many times a training looks at the validation part, evenly spread; fewer where they
    would take more than a tenth of `training.minutes`."""
    patience: Whole = 0
    """Stop after so many validations without improvement; 0 never stops early."""
    save_every: Positive = 120.0
    """Seconds between saves of what a resume needs."""
    seed: Annotated[int, Number, Field(ge=0, lt=1 << 32)] = 1
    """Seed of weights, masks, samples and order."""
    device: Device = "auto"
    """``auto`` (CUDA if there is one, else CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """``auto``: bfloat16 where CUDA computes it, float32 elsewhere."""
    threads: Annotated[int, Number, Field(ge=0, le=1024)] = 0
    """Processor threads; 0 takes as many as find a core that no other program uses."""
    prompts: list[str] = []
    """Prompts whose predictions are shown at each validation. Default: a few that fit the text."""
    tensorboard: bool = False
    """Also write events for TensorBoard into the run's folder ``tensorboard/``."""

    @property
    def budget(self) -> str:
        """In words, such as ``4 passes`` or ``60 passes or 0.5 min``."""
        passes = f"{self.epochs:.3g} pass{'es' * (self.epochs != 1)}"
        return passes if self.minutes is None else f"{passes} or {self.minutes:g} min"


class MixtureConfig(Section):
    """What is mixed with the network once it is trained, weighed on the validation part."""

    ngram: bool | None = None
    """Counted n-grams of ``model.order`` words. Unless set, kept where they help."""
    cache: bool = True
    """Find on the validation part how a cache of the recent text is best used, where it is asked
    for."""
    cache_size: Annotated[int, Number, Field(ge=1, le=100_000)] = 2000
    """Words that the cache keeps."""


class Config(Section):
    """Everything a training run is told."""

    text: TextConfig = TextConfig()
    vocabulary: VocabularyConfig = VocabularyConfig()
    windows: WindowsConfig = WindowsConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    mixture: MixtureConfig = MixtureConfig()

    def leaves(self) -> Iterator[tuple[str, Any]]:
        """Every dotted key with its value."""
        for section, values in self.model_dump().items():
            for name, value in values.items():
                yield f"{section}.{name}", value

    def shareable(self, threads: int = 0) -> Config:
        """The configuration for other people: files by their names, without folders.

        Args:
            threads: the threads that the run used, which replace ``training.threads: 0``: their
                number would follow from the load of the other machine, and change the rounding.
        """
        files = ("path", "train", "valid", "test")
        text = {key: _file_names(getattr(self.text, key)) for key in files}
        vectors = _file_names(self.model.vectors)
        threads = self.training.threads or threads
        return self.model_copy(
            update={
                "text": self.text.model_copy(update=text),
                "model": self.model.model_copy(update={"vectors": vectors}),
                "training": self.training.model_copy(update={"threads": threads}),
            }
        )


def _file_names(path: Any) -> Any:
    """A path, or each of a list of paths, without its folder; ``-`` and None as they are."""
    if isinstance(path, list):
        return [_file_names(part) for part in path]
    return path if path is None or path == "-" else Path(path).name
