#!/usr/bin/env bash
# Makes or finds the environment, then checks style, types and behaviour:
#   bash tools/run_tests.sh [arguments of pytest]
# WSSS_STACK=onedl tests the other toolbox. Tests run on every core; with -n 0 one by one.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(bash "$root/tools/setup_env.sh" "${WSSS_STACK:-openmmlab}" | tail -n 1)
cd "$root"
# One thread per process: the tests are many small computations.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} MKL_NUM_THREADS=${MKL_NUM_THREADS:-1}
export PATH="$venv/bin:$PATH" MPLBACKEND=Agg
unset PYTHONPATH

echo 'ruff check'
ruff check .
echo 'ruff format'
ruff format --check .
echo 'mypy'
mypy
echo 'pytest'
exec python -m pytest -n auto "$@"
