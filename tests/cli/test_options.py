"""Options that several commands share."""

from nextword.cli.options import places_option, reach_option, suggestions_option
from nextword.evaluation.keystrokes import SUGGESTIONS
from nextword.interpret.memory import PLACES, REACH


def test_defaults_are_those_of_python() -> None:
    """They are written twice, since help must not load what computes."""

    def default(option: object) -> object:
        def command() -> None: ...

        option(command)  # type: ignore[operator]
        return command.__click_params__[0].default  # type: ignore[attr-defined]

    assert default(reach_option) == REACH and default(places_option) == PLACES
    assert default(suggestions_option) == SUGGESTIONS
