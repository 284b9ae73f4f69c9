"""The README.md of a model folder: what it is and how to ask it."""

from __future__ import annotations

from nextword.config.schema import Config
from nextword.inference.loaded_model import LoadedModel
from nextword.text.prepare import EncodedText


def model_card(config: Config, loaded: LoadedModel, text: EncodedText) -> str:
    """Markdown for people who find the folder."""
    return f"""# A next-word predictor

- Trained on: {_named(config)} ({len(text.parts["train"].ids):,} words, SHA-256 `{text.sha256}`)
- {loaded.description}, {loaded.parameter_count():,} learned numbers
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
format), `model.safetensors` the weights. `mixture.json` and `ngram.safetensors`, where they are,
hold counted n-grams and how they are mixed with the network. Nothing in this folder is code.
"""


def _named(config: Config) -> str:
    """The text's files, the first few of them."""
    names = config.text.file_names_of("train")
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
