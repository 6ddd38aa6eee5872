#!/usr/bin/env bash
# What dist_train.sh and dist_test.sh share:
#   dist_run.sh SCRIPT COUNT ARGUMENT... PROCESSES [OPTION...]
# COUNT arguments of the script come before the number of processes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=$1
count=$2
shift 2
if (($# <= count)) || ! [[ ${*:count+1:1} =~ ^[1-9][0-9]*$ ]]; then
  printf 'expected %d argument(s), then the number of GPUs (or of CPU processes), received: %s\n' \
    "$count" "$*" >&2
  exit 2
fi
arguments=("${@:1:count}")
processes=${*:count+1:1}
shift $((count + 1))

if [[ -n ${PYTHON:-} ]]; then
  python=$PYTHON
elif [[ -x ${WSSS_VENV:-$here/../.venv}/bin/python ]]; then
  python=${WSSS_VENV:-$here/../.venv}/bin/python
else
  python=python
fi
cores=$(nproc)
# Each process computes on its share of the cores; more threads than that slow all of them down.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((cores > processes ? cores / processes : 1))}
export PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}"

port=${PORT:-${MASTER_PORT:-}}
if [[ -z $port ]]; then
  port=29500
  # Two jobs of one machine on the same port may join and average their gradients.
  if [[ ${NNODES:-1} == 1 ]]; then
    port=$("$python" -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
  fi
fi

exec "$python" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" \
  --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" \
  --master_port="$port" \
  --nproc_per_node="$processes" \
  "$here/$script" "${arguments[@]}" --launcher pytorch "$@"
