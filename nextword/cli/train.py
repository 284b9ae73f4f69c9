"""``nextword train``."""

from __future__ import annotations

import os
import shlex

import click

from nextword.cli.options import json_option
from nextword.cli.terminal import say, say_json


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
@click.option(
    "--run",
    metavar="NAME",
    help="The run's name under runs/; with --resume also the path of a run folder.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run where it was saved last. Epochs, minutes, learning rate, device, "
    "threads and looks at the validation part may change; the network, the words and their order "
    "may not.",
)
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
    from nextword.storage.run_folder import RUNS, run_to_resume

    overrides = parse_assignments(assignments)
    if text:
        overrides["text.path"] = text[0] if len(text) == 1 else list(text)
    path = find_config(config) if config else None
    if resume and path is None:
        path = run_to_resume(run).config
    resolved = load_config(path, overrides, os.environ)

    from nextword.cli.console import Console, prediction_lines
    from nextword.cli.signals import stopping_on_signals
    from nextword.training.run import train

    with stopping_on_signals() as request:
        result = train(resolved, run=run, resume=resume, callback=Console(), should_stop=request)
    if as_json:
        say_json(result.as_dict())
    else:
        for part in ("valid", "test"):
            perplexity = getattr(result, f"{part}_perplexity")
            alone = getattr(result, f"network_{part}_perplexity")
            if perplexity is not None:
                mixed = f" (network alone {alone:,.2f})" if alone != perplexity else ""
                say(f"{part:<5} perplexity {perplexity:,.2f}{mixed}")
        say(
            f"{result.steps:,} steps in {result.seconds:,.1f} s, "
            f"{result.tokens_per_second:,.0f} words/s"
        )
        say(f"saving took {100 * result.saving_share:.2g} % of that time")
        say("", f"{result.prompt} ...")
        for line in prediction_lines(result.model.predict(result.prompt)):
            say(f"  {line}")
        say("", f"The model is in {result.path / 'model'}. Ask it:")
        say(f"  nextword predict {shlex.quote(result.prompt)}")
    if request.signal is not None:
        name = result.run if result.path == RUNS / result.run else result.path
        say(f"stopped early; go on with: nextword train --resume --run {name}", err=True)
        raise SystemExit(128 + request.signal)
