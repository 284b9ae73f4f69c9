# shellcheck shell=bash
# Sourced by scripts that set `root` to the checkout's folder: `prepare_environment EXTRAS` makes
# .venv there, installs nextword into it when that is needed, and puts its commands first on PATH.

# Prints the first Python that is new enough and can make virtual environments.
find_python() {
    local candidate too_old="" bare=""
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 python3.14 python; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            too_old="$candidate"
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            bare="$candidate"
        else
            echo "$candidate"
            return 0
        fi
    done
    if [ -n "$bare" ]; then
        echo "error: $bare lacks the venv module; install it (Debian, Ubuntu: apt install python3-venv)" >&2
    elif [ -n "$too_old" ]; then
        echo "error: $too_old is older than Python 3.10; install a newer one beside it" >&2
    else
        echo "error: no Python found; install Python 3.10 or newer" >&2
    fi
    return 1
}

prepare_environment() {
    : "${root:?set root to the folder of the checkout}"
    local extras="$1" venv="$root/.venv" python wanted stamp
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        python="$(find_python)" || return 1
        echo "==> making .venv with $python" >&2
        "$python" -m venv "$venv" || return 1
    fi
    # A moved checkout needs a new editable install, so the folder is part of the checksum.
    wanted="$({ echo "$root"; cat "$root/pyproject.toml" "$root/scripts/constraints.txt"; } | cksum)"
    stamp="$venv/.installed${extras:+-$extras}"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "==> installing nextword${extras:+ [$extras]} into .venv (the first time takes minutes)" >&2
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            --constraint "$root/scripts/constraints.txt" \
            --editable "$root${extras:+[$extras]}" || return 1
        echo "$wanted" >"$stamp"
        echo "$wanted" >"$venv/.installed" # without extras it is installed as well
    fi
    export PATH="$venv/bin:$PATH"
}
