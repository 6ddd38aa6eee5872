#!/usr/bin/env bash
# From nothing to trained, scored and drawn on the generated data set. What exists is reused.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(bash "$root/tools/setup_env.sh" openmmlab | tail -n 1)
cd "$root"
export PATH="$venv/bin:$PATH" MPLBACKEND=Agg
unset PYTHONPATH
# Threads that spin while they wait stall on a machine with other work to do.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}

config=configs/dual_vit_r18_shapes.py
work_dir=work_dirs/dual_vit_r18_shapes
pictures=$work_dir/pictures
metrics=$work_dir/metrics.json

say() { printf 'quickstart: %s\n' "$*"; }

if [[ ! -d data/shapes ]]; then
  say 'making data/shapes'
  rm -rf data/shapes.part
  python tools/make_shapes.py data/shapes.part
  mv data/shapes.part data/shapes
fi

# A training that was cut short is continued.
# On CPU cores, processes of one thread are twice as fast for such small images as threads.
read -r iterations processes share port < <(
  python -c "import os, socket, torch
from mmengine.config import Config
config = Config.fromfile('$config')
processes = 2 if len(os.sched_getaffinity(0)) > 1 and not torch.cuda.is_available() else 1
free = socket.create_server(('127.0.0.1', 0)).getsockname()[1]
batch = config.train_dataloader.batch_size
print(config.train_cfg.max_iters, processes, batch // processes, free)"
)
checkpoint=$work_dir/iter_$iterations.pth
last=$(cat "$work_dir/last_checkpoint" 2>/dev/null || true)
# A file that the training has not noted was cut short, unless a test has read it.
if [[ ! -f $checkpoint || (${last##*/} != "${checkpoint##*/}" && ! $metrics -nt $checkpoint) ]]; then
  say "training $config ($iterations iterations, $processes process(es))"
  options=(--work-dir "$work_dir" --resume)
  if ((processes == 1)); then
    python tools/train.py "$config" "${options[@]}"
  else
    PYTHON=python MASTER_PORT=$port bash tools/dist_train.sh "$config" "$processes" \
      "${options[@]}" --cfg-options "train_dataloader.batch_size=$share"
  fi
else
  say "reusing $checkpoint"
fi

if [[ ! $metrics -nt $checkpoint ]]; then
  say 'testing'
  python tools/test.py "$config" "$checkpoint" --work-dir "$work_dir/test" --cam --out "$metrics.part"
  say 'drawing'
  python tools/draw_panels.py "$config" "$checkpoint" --out "$pictures" --num 8
  mv "$metrics.part" "$metrics"
else
  say "reusing $metrics and $pictures"
fi

python - "$metrics" "$pictures" <<'PYTHON'
import json
import pathlib
import sys

with open(sys.argv[1], encoding='utf-8') as file:
    metrics = json.load(file)
names = {'seg': 'mIoU', 'cam': 'cam/mIoU', 'aux': 'aux_cam/mIoU'}
scores = ' '.join(f'{short} mIoU={metrics[name]:.2f}' for short, name in names.items())
drawn = sum(1 for path in pathlib.Path(sys.argv[2]).rglob('*') if path.suffix in ('.png', '.jpg'))
print(f'quickstart: {scores} pictures={drawn}')
PYTHON
