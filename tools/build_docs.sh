#!/usr/bin/env bash
# Builds the site into work_dirs/site, in an environment of its own that is made at the first call:
#   bash tools/build_docs.sh
# The environment lies in $WSSS_DOCS_VENV, else in .venv-docs.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -m "${WSSS_DOCS_VENV:-$root/.venv-docs}")
pins="$root/requirements/docs.txt"
stamp="$venv/.wsss_docs-$(sha256sum "$pins" | cut -c1-16)"
if [[ ! -e $stamp ]]; then
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/python" -m pip install --disable-pip-version-check -q -r "$pins"
  touch "$stamp"
fi
cd "$root"
exec "$venv/bin/python" -m mkdocs build --strict --quiet
