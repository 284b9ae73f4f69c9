#!/usr/bin/env bash
# Trains on the text that ships with the program, then predicts. Safe to run again: a finished run is
# kept, an interrupted one continues. Options go to `nextword train`.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"
prepare_environment ""
cd "$root"

run=runs/quickstart
if [ -d "$run/model" ] && [ $# -eq 0 ]; then
    echo "==> $run is already trained; to train again: rm -r $run && bash scripts/quickstart.sh" >&2
elif [ -d "$run/state" ]; then
    echo "==> continuing $run" >&2
    nextword train --run quickstart --resume "$@"
else
    echo "==> training $run" >&2
    nextword train --run quickstart "$@"
fi

echo "==> nextword predict \"Napoleon was the Emperor of\"" >&2
nextword predict --model "$run" "Napoleon was the Emperor of"
