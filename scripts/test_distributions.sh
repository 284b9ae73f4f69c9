#!/usr/bin/env bash
# Builds the source distribution and the wheel into dist/, then runs the tests of the one against
# the other in an environment of its own. Options go to pytest.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

python="$(find_python)"
"$python" -m venv "$scratch/.venv"
export PATH="$scratch/.venv/bin:$PATH"
pip() { python -m pip --disable-pip-version-check "$@"; }

echo "==> building dist/" >&2
pip install --quiet build
python -m build --outdir "$scratch/dist" "$root" >/dev/null
mkdir -p "$root/dist"
cp "$scratch"/dist/* "$root/dist/"

echo "==> installing the wheel (takes minutes)" >&2
wheel="$(echo "$scratch"/dist/*.whl)"
index="$(torch_index python)"
pip install --quiet --constraint "$root/scripts/constraints.txt" \
    ${index:+--extra-index-url "$index"} "${wheel}[dev]"

echo "==> testing the wheel with the tests of the source distribution" >&2
tar -xzf "$scratch"/dist/*.tar.gz -C "$scratch"
cd "$scratch"/nextword-*/
rm -r nextword # so that the installed package is the one that is tested
pytest -n auto "$@"
