#!/usr/bin/env bash
# Tests in several processes:
#   bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# Without a GPU, GPUS is the number of CPU processes. Across machines set NNODES, NODE_RANK,
# MASTER_ADDR and MASTER_PORT on each; PORT, where it is set, goes before MASTER_PORT.
set -euo pipefail

exec bash "$(dirname "${BASH_SOURCE[0]}")/dist_run.sh" test.py 2 "$@"
