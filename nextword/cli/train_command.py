"""``nextword train``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nextword.cli.options import echo_json, json_option


@click.command("train")
@click.option("--config", metavar="FILE", help="A YAML file, or the name of one that ships.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a key of the configuration, such as model.hidden_size=512.",
)
@click.option(
    "--text", multiple=True, metavar="FILE", help="The text: a file, a folder, or - for a pipe."
)
@click.option("--run", metavar="NAME", help="The run's name under runs/.")
@click.option("--resume", is_flag=True, help="Go on with the run where it was saved last.")
@json_option
def command(
    config: str | None,
    assignments: tuple[str, ...],
    text: tuple[str, ...],
    run: str | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Train a predictor on a text.

    Without any option it trains on the text that ships with the program. While it trains it shows
    the validation perplexity and what it now predicts; Ctrl-C saves and leaves a usable model.
    """
    from nextword.config import find_config, load_config, parse_assignments

    overrides = parse_assignments(assignments)
    if text:
        overrides["text.path"] = text[0] if len(text) == 1 else list(text)
    path = find_config(config) if config else None
    if resume and path is None:
        run, path = _resumed(run)
    resolved = load_config(path, overrides, os.environ)

    from nextword.cli.console import Console, prediction_lines
    from nextword.cli.signals import stopping_on_signals
    from nextword.training.prompts import ARTICLE_PROMPT
    from nextword.training.run import train

    with stopping_on_signals() as request:
        result = train(resolved, run=run, resume=resume, watcher=Console(), should_stop=request)
    if as_json:
        echo_json(result.as_dict())
    else:
        for part in ("valid", "test"):
            perplexity = getattr(result, f"{part}_perplexity")
            alone = getattr(result, f"network_{part}_perplexity")
            if perplexity is not None:
                mixed = f" (network alone {alone:,.2f})" if alone != perplexity else ""
                click.echo(f"{part:<5} perplexity {perplexity:,.2f}{mixed}")
        click.echo(
            f"{result.steps:,} steps in {result.seconds:,.1f} s, "
            f"{result.tokens_per_second:,.0f} words/s"
        )
        click.echo(f"\n{ARTICLE_PROMPT} ...")
        for line in prediction_lines(result.predictor.predict(ARTICLE_PROMPT)):
            click.echo(f"  {line}")
        click.echo(f"\nThe model is in {result.path / 'model'}. Ask it:")
        click.echo(f'  nextword predict "{ARTICLE_PROMPT}"')
    if request.signal is not None:
        click.echo(
            f"stopped early; go on with: nextword train --resume --run {result.run}", err=True
        )
        raise SystemExit(128 + request.signal)


def _resumed(run: str | None) -> tuple[str, Path]:
    """The run to go on with and the configuration that it began with."""
    from nextword.runs import find_run

    folder = find_run(Path(run) if run else None)
    return folder.path.name, folder.config
