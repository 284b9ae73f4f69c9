"""The schema of the configuration: one documented class per section, every field with its unit.

Precedence: flag, ``NEXTWORD_*`` variable, YAML, and last the defaults here. The field docstrings
are the text of docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nextword.config.architecture import GREATEST, Architecture
from nextword.config.types import (
    Column,
    Count,
    Device,
    Encoding,
    File,
    Format,
    Fraction,
    Kind,
    NonNegative,
    Number,
    Positive,
    Whole,
    Width,
)


def _consistent(*problems: str | None) -> None:
    """Raise a ValueError with one line per problem, if there is any."""
    lines = [problem for problem in problems if problem]
    if lines:
        raise ValueError("\n".join(lines))


class Section(BaseModel):
    """A section: immutable, unknown keys refused, every field documented."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Holdout(Section):
    """Shares of the text held out from training, as whole blocks."""

    valid: Fraction = 0.05
    """Share for validation, which chooses the best model and may stop the training."""
    test: Fraction = 0.05
    """Share for the final test; nothing is chosen by it."""

    @model_validator(mode="after")
    def _check_total(self) -> Holdout:
        _consistent(
            "valid and test together leave less than a tenth for training"
            if self.valid + self.test > 0.9
            else None
        )
        return self


class TextConfig(Section):
    """The text, and how it is split into words."""

    path: File | list[File] | None = None
    """A file, a folder, several of them, or ``-`` for standard input. Default: the shipped text."""
    train: File | None = None
    """The training file of a text that comes split, with ``valid`` (and ``test``), instead of
    ``path``."""
    valid: File | None = None
    """The validation file of a text that comes split."""
    test: File | None = None
    """The test file of a text that comes split."""
    format: Format = "auto"
    """The files' format. ``auto`` recognises it by the content of each file."""
    column: Column | None = None
    """The column of a CSV file, or the key of JSON records, that is the text. Default: the one that
    holds most running text."""
    encoding: Encoding = "utf-8"
    """Character encoding of the files, by its Python name."""
    tokenizer: Literal["words", "whitespace"] = "words"
    """``words`` for prose; ``whitespace`` for tokenized text with one sentence per line."""
    paragraphs: Literal["auto", "blank_lines", "lines", "indents"] = "auto"
    """How ``words`` finds paragraphs: separated by blank lines, one per line, each beginning with
    an indented line, or ``auto``, decided for each file. ``whitespace`` always takes lines."""
    lowercase: bool = False
    """Convert to lower case before splitting."""
    holdout: Holdout = Holdout()
    """The held-out shares of a text that does not come split."""

    @model_validator(mode="after")
    def _check_files(self) -> TextConfig:
        alone = self.train is None and (self.valid or self.test)
        both = self.train is not None and self.path is not None
        _consistent(
            "path is an empty list; name a file or folder" if self.path == [] else None,
            "valid and test name files only together with train" if alone else None,
            "set either path or train, not both" if both else None,
            "train needs a valid file beside it" if self.train and not self.valid else None,
        )
        return self

    def files_of(self, *parts: str) -> list[str]:
        """The files and folders of some parts.

        Args:
            parts: ``train``, ``valid`` or ``test``; all the same for a text that does not come
                split.
        """
        if self.train is not None:
            return [file for part in parts if (file := getattr(self, part)) is not None]
        return [self.path] if isinstance(self.path, str) else list(self.path or [])

    def file_names_of(self, *parts: str) -> list[str]:
        """The same without their folders, which are private where a model is shared."""
        paths = self.files_of(*parts) or ["-"]
        return ["standard input" if path == "-" else Path(path).name for path in paths]


class VocabularyConfig(Section):
    """The words that a model knows; counted in the training part only."""

    max_size: Annotated[int, Number, Field(ge=3, le=100_000_000)] = 30_000
    """Largest number of words, the special ones included."""
    min_count: Count = 2
    """Words that occur less often become ``<unk>``."""


class WindowsConfig(Section):
    """How the text is cut into windows for truncated back-propagation through time."""

    length: Count = 48
    """Words per window: how far back-propagation reaches."""
    stride: Count | None = None
    """Words from the start of one window to the next. Default: ``length``, every word once per
    epoch."""
    carry_state: bool = True
    """Start a window with the final state of the window before it (if stride = length)."""

    @model_validator(mode="after")
    def _check_stride(self) -> WindowsConfig:
        _consistent(
            f"stride {self.stride} is above length {self.length}: the words between windows would "
            "never be learned"
            if self.step > self.length
            else None
        )
        return self

    @property
    def step(self) -> int:
        """The resolved stride, in words."""
        return self.stride or self.length

    @property
    def continuous(self) -> bool:
        """Whether the recurrent state is carried from window to window."""
        return self.carry_state and self.step == self.length


class ModelConfig(Section):
    """The model."""

    kind: Kind = "lstm"
    """The kind of model."""
    activation: Literal["tanh", "sigmoid", "relu"] = "tanh"
    """Activation function of ``rnn`` and ``feedforward``; ``lstm`` and ``gru`` have their own."""
    input: Literal["embedding", "one_hot"] = "embedding"
    """``one_hot``: the first layer's weights are applied to the one-hot vector itself."""
    vectors: File | None = None
    """A word2vec or GloVe file, text or binary, that initialises the embedding."""
    freeze_vectors: bool = False
    """Do not train the vectors of words found in ``vectors``."""
    start: Literal["cooccurrence", "random"] = "cooccurrence"
    """Initialisation of the embedding without ``vectors``: from the words' co-occurrence in the
    training text, or at random. Unless set, random where the former would take too much of the
    budget."""
    embedding_size: Width = 256
    """Width of a word vector. Unless set, smaller where the budget is short."""
    hidden_size: Width = 256
    """Units per layer. Unless set, follows from the size of the text and the budget."""
    layers: Annotated[int, Number, Field(ge=1, le=GREATEST["layers"])] = 1
    """Recurrent (or hidden) layers."""
    context: Annotated[int, Number, Field(ge=1, le=GREATEST["context"])] = 5
    """``feedforward``: how many previous words the network sees."""
    order: Annotated[int, Number, Field(ge=1, le=GREATEST["order"])] = 5
    """Words in the longest n-grams, of kind ``ngram`` and of n-grams mixed with a network."""
    bias: bool = True
    """Whether layers have a bias; the article's equations have none."""
    tie_weights: bool = True
    """Share one matrix between input and output embeddings (a projection joins unequal sizes)."""
    dropout: Fraction = 0.3
    """Dropout of the output features and between layers, one mask per window. Unless set, follows
    from the number of epochs."""
    input_dropout: Fraction | None = None
    """Dropout of the word vectors, one mask per window. Default: ``dropout``."""
    word_dropout: Fraction = 0.0
    """Embedding dropout: share of the vocabulary whose vectors are zeroed for a window."""
    weight_dropout: Fraction = 0.0
    """Share of the recurrent weights W_hh that is dropped for a window."""

    @model_validator(mode="after")
    def _check_vectors(self) -> ModelConfig:
        one_hot = self.input == "one_hot" and self.vectors
        _consistent(
            "vectors need input: embedding, since one-hot vectors are not trained"
            if one_hot
            else None,
            "freeze_vectors needs vectors" if self.freeze_vectors and not self.vectors else None,
        )
        return self

    @property
    def architecture(self) -> Architecture:
        """The settings that decide how the model computes."""
        return Architecture.from_settings(dict(self))


class TrainingConfig(Section):
    """How the model is trained."""

    epochs: Positive = 4.0
    """Passes over the training part; fractions are allowed. Unless set, follows from the text."""
    minutes: Positive | None = None
    """A time budget: the whole wait, from start to the final figures, in minutes. Training ends
    sooner after ``epochs`` (unless set, as many as a short text takes before it is overfit). What
    fits into the time is measured on this machine, so a run is not exactly repeatable."""
    batch_size: Count = 32
    """Windows per batch. Unless set, follows from the text."""
    accumulate: Count = 1
    """Batches whose gradients are accumulated for one optimizer step."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or plain stochastic gradient descent."""
    learning_rate: Annotated[float, Number, Field(gt=0, le=100, allow_inf_nan=False)] = 0.012
    """Peak learning rate. Unless set, follows from the model and the optimizer."""
    schedule: Literal["linear", "cosine", "plateau", "constant"] = "linear"
    """``linear`` decays to zero, ``cosine`` to 2 % of the peak; ``plateau`` divides by 4 when
    validation stalls."""
    warmup_steps: Whole = 100
    """Steps over which the learning rate rises to its peak; at most a tenth of the training."""
    weight_decay: NonNegative = 0.01
    """Decoupled weight decay, applied to matrices only."""
    clip_norm: NonNegative = 1.0
    """Largest norm of the gradient; 0 turns clipping off."""
    activation_penalty: NonNegative = 1.0
    """Activation regularisation: this times the mean square of the output features."""
    change_penalty: NonNegative = 0.5
    """Temporal activation regularisation: this times the mean square of the change of the output
    features from one word to the next."""
    loss: Literal["sampled", "exact"] = "sampled"
    """``exact``: softmax over all words. ``sampled``: over frequent words and a sample of the rest,
    where that leaves out more than half of the vocabulary."""
    sampled_head: Count = 500
    """``sampled``: how many of the most frequent words are always scored."""
    sampled_tail: Count = 384
    """``sampled``: how many of the other words are drawn at each step."""
    validations: Count = 10
    """Validations during training, evenly spread; fewer if they would take more than a tenth of
    ``training.minutes``."""
    patience: Whole = 0
    """Stop after this many validations without improvement; 0 never stops early."""
    save_every: Positive = 120.0
    """Seconds between saves of the training state."""
    seed: Annotated[int, Number, Field(ge=0, lt=1 << 32)] = 1
    """Seed of the weights, dropout masks, sampled words and order of windows."""
    device: Device = "auto"
    """``auto`` (CUDA if there is one, else CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """``auto``: bfloat16 on CUDA devices that support it, float32 elsewhere."""
    threads: Annotated[int, Number, Field(ge=0, le=1024)] = 0
    """Processor threads; 0 uses every core that is not busy with other programs."""
    prompts: list[str] = []
    """Prompts whose predictions are shown at each validation. Default: a few from the text."""
    tensorboard: bool = False
    """Also write TensorBoard events to the folder ``tensorboard/`` of the run."""

    @property
    def budget(self) -> str:
        """The budget in words, such as ``4 passes`` or ``0.5 min or 60 passes``."""
        passes = f"{self.epochs:.3g} pass{'es' * (self.epochs != 1)}"
        return passes if self.minutes is None else f"{self.minutes:g} min or {passes}"


class MixtureConfig(Section):
    """What is mixed with the trained network; the weights are fitted on the validation part."""

    ngram: bool | None = None
    """Mix with counted n-grams of ``model.order`` words. Unless set, only if they help."""
    cache: bool = True
    """Fit the settings of the cache of recent words, for when ``--adapt`` asks for it."""
    cache_size: Annotated[int, Number, Field(ge=1, le=100_000)] = 2000
    """Words in the cache."""


class Config(Section):
    """Every setting of a training run."""

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
