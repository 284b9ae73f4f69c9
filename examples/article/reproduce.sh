#!/usr/bin/env bash
# Tests what the article says about recurrent networks: trains a standard RNN (tanh, sigmoid), an
# LSTM, a GRU and a network without memory with the same settings, then judges each claim by
# measurements and writes a page. Safe to run again: trained networks are kept.
#
#   bash examples/article/reproduce.sh [TEXT] [OPTIONS OF nextword train]...
#
# TEXT is a file or a folder; by default the text that ships with the program.
set -euo pipefail

case "${1:-}" in
-h | --help)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

text=()
name=article
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
    if [ ! -f "$1" ] && [ ! -d "$1" ]; then
        echo "error: $1: no such file or folder; name a text, or none for the one that ships" >&2
        exit 1
    fi
    text=(--text "$1")
    name="$(basename "$1")"
    name="article-${name%%.*}"
    sum="$(find -L "$1" -type f -print0 | sort -z | xargs -0 cat | cksum)"
    shift
fi
asked="text ${sum:-shipped}; options $*" # identifies the runs
prepare_environment plots

# The settings of each network; all others are the same.
settings_of() {
    case "$1" in
    rnn-*) echo "--set model.kind=rnn --set model.activation=${1#rnn-}" ;;
    *) echo "--set model.kind=$1" ;;
    esac
}

runs=()
begun=()
for kind in rnn-tanh rnn-sigmoid lstm gru feedforward; do
    runs+=("runs/$name-$kind")
    if [ -e "runs/$name-$kind" ]; then begun+=("runs/$name-$kind"); fi
done
if [ ${#begun[@]} -gt 0 ] && [ "$(cat "runs/$name.asked" 2>/dev/null)" != "$asked" ]; then
    echo "error: runs/$name-* are of another text or other options, or of unknown ones; to retrain:" >&2
    echo "  rm -r$(printf ' %q' "${begun[@]}")" >&2
    exit 1
fi
mkdir -p runs
echo "$asked" >"runs/$name.asked"

for run in "${runs[@]}"; do
    if [ -f "$run/trained" ]; then
        echo "==> $run is trained already" >&2
        continue
    elif [ -f "$run/state/state.safetensors" ]; then
        echo "==> resuming $run" >&2
        nextword train --run "$run" --resume >&2
    else
        echo "==> training $run" >&2
        read -ra own <<<"$(settings_of "${run#"runs/$name-"}")"
        # n-grams mixed in would hide how the networks differ
        nextword train --run "$(basename "$run")" ${text[@]+"${text[@]}"} \
            --set mixture.ngram=false --set mixture.cache=false "${own[@]}" "$@" >&2
    fi
    touch "$run/trained"
done

echo "==> measuring" >&2
python "$root/examples/article/claims.py" "${runs[@]}" --report "runs/$name.html"
echo "==> wrote runs/$name.html" >&2
