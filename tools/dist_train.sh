#!/usr/bin/env bash
# Trains in several processes:  bash tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Without a GPU, GPUS is the number of CPU processes. Across machines set NNODES, NODE_RANK,
# MASTER_ADDR and MASTER_PORT on each; PORT, where it is set, goes before MASTER_PORT.
set -euo pipefail

exec bash "$(dirname "${BASH_SOURCE[0]}")/dist_run.sh" train.py 1 "$@"
