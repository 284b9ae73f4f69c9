"""``nextword eval``."""

from __future__ import annotations

from pathlib import Path

import click

from nextword.cli.options import device_option, echo_json, json_option, model_option


@click.command("eval")
@click.option("--text", multiple=True, metavar="FILE", help="Measure on this text instead.")
@click.option(
    "--encoding", default="utf-8", show_default=True, help="The character encoding of --text."
)
@click.option(
    "--split",
    type=click.Choice(["valid", "test"]),
    default="valid",
    show_default=True,
    help="Which held-out part of the run's text.",
)
@model_option
@device_option
@json_option
def command(
    text: tuple[str, ...], encoding: str, split: str, model: Path | None, device: str, as_json: bool
) -> None:
    """Measure a model on text that it has not seen.

    Every word is predicted once, from all that stands before it, by the exact softmax. A word is a
    token of the model's own tokenizer, ends of paragraphs included.
    """
    from tqdm import tqdm

    from nextword.device import choose_device
    from nextword.evaluation.evaluator import evaluate
    from nextword.evaluation.held_out import held_out_part, read_text
    from nextword.models.folder import load_model_folder
    from nextword.runs import find_model

    folder = find_model(model)
    loaded = load_model_folder(folder)
    loaded.model.to(choose_device(device))
    if text:
        part = read_text(loaded.tokenizer, list(text), encoding)
    else:
        part = held_out_part(folder, loaded.tokenizer, split)
    with tqdm(total=len(part.ids), unit="word", unit_scale=True, leave=False) as bar:
        measured = evaluate(loaded, part.ids, part.characters, progress=lambda n: bar.update(n))
    if as_json:
        echo_json(measured.as_dict())
        return
    from nextword.cli.console import percent

    speed = measured.tokens / max(measured.seconds, 1e-9)
    rows = [
        ("text", f"{part.name} ({measured.tokens:,} words)"),
        ("model", str(folder)),
        ("perplexity", f"{measured.perplexity:,.2f}"),
        ("bits per character", f"{measured.bits_per_character:.3f}"),
        ("unknown words", percent(measured.unknown_rate)),
        ("right word first", percent(measured.top_1)),
        ("among the first 3", percent(measured.top_3)),
        ("among the first 5", percent(measured.top_5)),
        ("keystrokes saved", percent(measured.keystroke_savings)),
        ("time", f"{measured.seconds:.1f} s, {speed:,.0f} words/s"),
    ]
    for name, value in rows:
        click.echo(f"{name:<20}{value}")
