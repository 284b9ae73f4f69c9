#!/usr/bin/env bash
# Tries what the article says of recurrent networks: trains a standard RNN (tanh, sigmoid), an LSTM,
# a GRU and a network without memory alike, then writes a page on which each claim stands as
# measured, whether it holds or not. Safe to run again: what is trained is kept.
#
#   bash scripts/reproduce_article.sh [TEXT] [OPTIONS OF nextword train]...
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"
prepare_environment plots

text=()
name=article
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
    text=(--text "$1")
    name="$(basename "$1")"
    name="article-${name%%.*}"
    shift
fi

# What makes each network what it is; all else is the same.
settings_of() {
    case "$1" in
    rnn-*) echo "--set model.kind=rnn --set model.activation=${1#rnn-}" ;;
    *) echo "--set model.kind=$1" ;;
    esac
}

runs=()
for kind in rnn-tanh rnn-sigmoid lstm gru feedforward; do
    run="$name-$kind"
    trained="runs/$run/trained-with" # the options, once the training is over
    runs+=("runs/$run")
    read -ra own <<<"$(settings_of "$kind")"
    if [ -f "$trained" ] && [ "$(cat "$trained")" != "$*" ]; then
        echo "error: runs/$run was trained with other options ($(cat "$trained")); to train anew: rm -r runs/$name-*" >&2
        exit 1
    elif [ -f "$trained" ]; then
        echo "==> runs/$run is trained already" >&2
        continue
    elif [ -f "runs/$run/state/state.safetensors" ]; then
        echo "==> going on with runs/$run" >&2
        nextword train --run "$run" --resume >&2
    else
        echo "==> training runs/$run" >&2
        # n-grams that are mixed in would hide how the networks differ
        nextword train --run "$run" ${text[@]+"${text[@]}"} --set mixture.ngram=false \
            --set mixture.cache=false "${own[@]}" "$@" >&2
    fi
    echo "$*" >"$trained"
done

echo "==> measuring" >&2
nextword report "${runs[@]}" --out "runs/$name.html"
