"""``nextword serve``: the page and the HTTP API."""

from __future__ import annotations

from pathlib import Path

import click

from nextword.cli.options import model_argument, model_option, resolve_model, run_or_model
from nextword.cli.terminal import say, say_at_once
from nextword.errors import NextwordError

TOKEN_VARIABLE = "NEXTWORD_SERVE_TOKEN"
EXTRA_MISSING = "this needs the server's libraries: pip install 'nextword[serve]'"
EXTRA = ("anyio", "starlette", "uvicorn")
"""The packages that only the server needs."""


@click.command("serve")
@model_argument
@model_option
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen. Any address beyond this machine needs --token.",
)
@click.option(
    "--port",
    default=8123,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="On which port; 0 takes any that is free.",
)
@click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    metavar="TOKEN",
    help="Answer only clients that send this.  [default: "
    f"${TOKEN_VARIABLE}, which no list of processes shows]",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name under which clients reach this server; may be repeated.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
@click.pass_context
def command(
    context: click.Context,
    run: Path | None,
    model: Path | None,
    host: str,
    port: int,
    token: str | None,
    hosts: tuple[str, ...],
    open_browser: bool,
) -> None:
    """Suggest words as you type: a page and an HTTP API.

    MODEL is a run or a model folder. The server answers this machine only, unless --host says
    otherwise, and logs no text. Ctrl-C lets running requests finish and ends it.
    """
    from nextword.page.assemble import page_html
    from nextword.page.info import page_info

    try:
        from nextword.server.app import create_app
        from nextword.server.guard import is_loopback
        from nextword.server.limits import Limits
        from nextword.server.listening import listen, serve, url_of
        from nextword.server.live_model import LiveModel
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise NextwordError(EXTRA_MISSING) from None
    check_token(token, needed=not is_loopback(host))
    folder = resolve_model(run_or_model(context, run, model))
    limits = Limits()
    with listen(host, port) as listener:
        live = LiveModel(folder, limits, lambda line: say(line, err=True))
        app = create_app(
            live,
            lambda: page_html(page_info(live.engine.loaded), "server"),
            hosts=(host, *hosts),
            any_address=host in ("0.0.0.0", "::"),
            token=token,
        )
        url = url_of(listener) + (f"/#token={token}" if token else "")
        say(f"{live.engine.name} answers at {url} (Ctrl-C ends it)", err=True)
        if open_browser:
            click.launch(url)
        serve(app, listener, limits.seconds, lambda: say_at_once("Finishing running requests."))


def check_token(token: str | None, needed: bool) -> None:
    """Refuse to start without a token where other machines can connect, or with an unusable one."""
    if needed and not token:
        raise click.UsageError(
            f"other machines could connect: set a secret {TOKEN_VARIABLE}, or give --token"
        )
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise click.UsageError("--token: use visible ASCII characters without spaces")
