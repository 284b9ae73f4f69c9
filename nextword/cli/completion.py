"""``nextword completion``: the script that switches on completion in a shell."""

from __future__ import annotations

import os

import click

from nextword.cli.shells import COMPLETE_VARIABLE, SHELLS
from nextword.cli.terminal import say


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice([*SHELLS]), metavar="[SHELL]")
@click.pass_context
def command(context: click.Context, shell: str | None) -> None:
    """Print the script that lets SHELL complete commands.

    SHELL is bash, zsh or fish; by default the one that the variable SHELL names. The Tab key then
    completes commands, options, runs, configurations, and the keys and values of --set. To switch
    it on, add the first line to ~/.bashrc, or the second to ~/.zshrc after compinit, or run the
    third once, for fish:

    \b
      eval "$(nextword completion bash)"
      eval "$(nextword completion zsh)"
      nextword completion fish > ~/.config/fish/completions/nextword.fish
    """
    name = shell or os.path.basename(os.environ.get("SHELL", ""))
    if name not in SHELLS:
        raise click.UsageError(f"name the shell: {', '.join(SHELLS)}")
    root = context.find_root()
    script = SHELLS[name](root.command, {}, root.info_name or "", COMPLETE_VARIABLE).source()
    say(*script.rstrip("\n").split("\n"))
