#!/usr/bin/env bash
# Everything that has to hold before a change goes in; options go to pytest.
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
announce pytest "$@"
