"""The README.md of a model folder: what it is and how to ask it."""

from __future__ import annotations

from pathlib import Path

from nextword.config.schema import Config
from nextword.models.base import LanguageModel
from nextword.text.encoded import EncodedText


def model_card(config: Config, model: LanguageModel, text: EncodedText) -> str:
    """Markdown for people who find the folder."""
    architecture = config.model
    return f"""# A next-word predictor

- Trained on: {_named(config)} ({len(text.parts["train"].ids):,} words, SHA-256 `{text.sha256}`)
- Network: {architecture.kind}, layers: {architecture.layers}, units: {architecture.hidden_size}, \
{model.parameter_count():,} learned numbers
- Vocabulary: {len(text.tokenizer):,} words, `{text.tokenizer.kind}` tokenizer

Ask it from the terminal, with this folder's path:

```
nextword predict "Napoleon was the Emperor of" --model FOLDER
```

or from Python:

```python
import nextword

nextword.load_model("FOLDER").predict("Napoleon was the Emperor of", k=5)
```

`config.json` describes the network, `tokenizer.json` holds the words (Hugging Face `tokenizers`
format), `model.safetensors` the weights. Nothing in this folder is code.
"""


def _named(config: Config) -> str:
    """The text's files; without their folders, which are nobody's business where this is read."""
    given = config.text.train or config.text.path or "-"
    paths = [given] if isinstance(given, str) else given
    names = ["standard input" if path == "-" else Path(path).name for path in paths]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
