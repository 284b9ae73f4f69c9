"""How shells ask for completions: click's classes, which also complete behind an equals sign."""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

COMPLETE_VARIABLE = "_NEXTWORD_COMPLETE"
"""The environment variable in which a shell's script asks for completions."""


class _WithOption(ShellComplete):
    """Completes the value in ``--option=value``."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("-"):
            for item in items:
                # click leaves off the option, but the shell replaces the whole word
                item.value = f"{option}={item.value}" if item.type == "plain" else item.value
        return items


class Bash(_WithOption, BashComplete):
    """Completion in bash, for which ``=`` and ``:`` separate words."""

    before = ""
    """The part of the last word that bash takes for separate words."""

    def get_completion_args(self) -> tuple[list[str], str]:
        parts = split_arg_string(os.environ["COMP_WORDS"])
        last = int(os.environ["COMP_CWORD"])
        current = parts[last] if last < len(parts) else ""
        words: list[str] = []
        joins = False
        for part in [*parts[:last], current]:
            separates = part != "" and not part.strip("=:")
            if words and (joins or separates) and part:
                words[-1] += part
            else:
                words.append(part)
            joins = separates
        self.before = words[-1] if joins else words[-1].removesuffix(current)
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        if item.type == "plain":
            item.value = item.value.removeprefix(self.before)
        return super().format_completion(item)


class Zsh(_WithOption, ZshComplete):
    """Completion in zsh."""


class Fish(_WithOption, FishComplete):
    """Completion in fish."""


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register_shells() -> None:
    """Let click complete with these classes."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
