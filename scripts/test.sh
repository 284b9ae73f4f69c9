#!/usr/bin/env bash
# Everything that must pass before a change is merged; options go to pytest.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"
prepare_environment dev
cd "$root"

announce() {
    echo "==> $*" >&2
    "$@"
}

announce ruff check .
announce ruff format --check .
announce mypy
if [ $# -eq 0 ]; then
    announce pytest -n auto --cov=nextword --cov-report=term --cov-fail-under=97
else
    announce pytest -n auto "$@"
fi
