# shellcheck shell=bash
# Sourced by scripts that set `root` to the checkout's folder: `prepare_environment EXTRAS` makes
# .venv there, installs nextword into it when that is needed, and puts its commands first on PATH.
# On Linux without an NVIDIA GPU it takes PyTorch's CPU build.

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

# Whether this Python has the PyTorch that the constraints ask for, in whatever build.
has_torch() {
    local version='from importlib.metadata import version; print(version("torch").split("+")[0])'
    grep -qx "torch==$("$1" -c "$version" 2>/dev/null)" "${root:?}/scripts/constraints.txt"
}

# Prints the extra package index from which pip takes PyTorch, if any, and says why on stderr.
# On Linux, PyPI has PyTorch for CUDA only; in PyTorch's own index `torch==X` is also there as
# `X+cpu`, which pip prefers to `X`.
torch_index() {
    local python="$1" index=https://download.pytorch.org/whl/cpu
    if [ "$(uname -s)" != Linux ]; then
        return 0
    fi
    case "$(timeout 5 nvidia-smi -L 2>/dev/null)" in
    *"GPU "[0-9]*)
        echo "==> NVIDIA GPU found: installing PyTorch with CUDA (about 5.5 GB)" >&2
        return 0
        ;;
    esac
    # the outer limit holds for name servers too
    if timeout 6 "$python" -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=4)' \
        "$index/torch/" >/dev/null 2>&1; then
        echo "==> no NVIDIA GPU: installing PyTorch's CPU build (about 1 GB in all)" >&2
        echo "$index"
    else
        echo "==> no NVIDIA GPU found, and PyTorch's CPU builds ($index) cannot be reached:" \
            "installing the PyTorch that pip finds, which may be the CUDA build (about 5.5 GB)" >&2
    fi
}

prepare_environment() {
    : "${root:?set root to the folder of the checkout}"
    local extras="$1" venv="$root/.venv" python wanted stamp begun index
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        python="$(find_python)" || return 1
        echo "==> making .venv with $python" >&2
        "$python" -m venv "$venv" || return 1
    fi
    # A moved checkout needs a new editable install, so the folder is part of the checksum.
    wanted="$({ echo "$root"; cat "$root/pyproject.toml" "$root/scripts/constraints.txt"; } | cksum)"
    stamp="$venv/.installed${extras:+-$extras}"
    begun="$venv/.installing" # left behind where an installation was interrupted
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || [ -e "$begun" ]; then
        echo "==> installing nextword${extras:+ [$extras]} into .venv (the first time takes minutes)" >&2
        index=""
        if [ -e "$begun" ] || ! has_torch "$venv/bin/python"; then
            index="$(torch_index "$venv/bin/python")"
        fi
        # pip takes half an installed package for a whole one, unless it is to ignore all of them
        set -- --disable-pip-version-check --constraint "$root/scripts/constraints.txt" \
            ${index:+--extra-index-url "$index"} --editable "$root${extras:+[$extras]}"
        if [ -e "$begun" ]; then set -- --ignore-installed "$@"; fi
        if [ ! -t 2 ]; then set -- --quiet "$@"; fi # otherwise pip shows its progress
        touch "$begun"
        "$venv/bin/python" -m pip install "$@" >&2 || return 1
        echo "$wanted" >"$stamp"
        echo "$wanted" >"$venv/.installed" # without extras it is installed as well
        rm "$begun"
    fi
    export PATH="$venv/bin:$PATH"
}
