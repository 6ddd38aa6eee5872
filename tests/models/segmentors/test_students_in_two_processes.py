"""Two students, and class tokens with clusters, learn in two processes what they learn in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODELS = Path(__file__).parents[1]
ROOT = MODELS.parents[1]

SCRIPT = """
import copy
import sys

import torch
import torch.distributed as dist
from mmengine.logging import MessageHub
from class_token_networks import cluster_config, CLASSES
from student_networks import SIDE, build, dual_config, samples, student_config, views

rank, rendezvous = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
torch.manual_seed(0)
hub = MessageHub.get_current_instance()
hub.update_info('iter', 10)
hub.update_info('max_iters', 20)
thresholds = dict(low=0.3, high=0.4)
student = student_config(thresholds=thresholds)
noise = dict(type='GMMNoiseFilter', fewest=0.0, gap=0.0, certainty=0.5)
student['labels']['pixel']['filters'] = dict(noise=noise)
clusters = cluster_config(
    thresholds=thresholds,
    labels=dict(pixel=dict(type='PixelLabels', cams=('final',))),
)
clusters['terms']['seg'] = dict(type='SegmentationTerm', labels='pixel')
clusters['backbone']['num_classes'] = 3
clusters['cams']['final'].update(num_classes=3, in_channels=48 + 216)
clusters['decode_head'].update(num_classes=4, in_channels=(48, 216))
cases = dict(students=dual_config(student=student), clusters=clusters)
inputs = {name: view.double() for name, view in views(4).items()}
# The second process has an image without tags and one of a single class.
data = samples(((1, 0, 1), (0, 1, 1), (0, 0, 0), (1, 0, 0)))
for sample in data:
    sample.gt_tags = sample.gt_tags.double()


def losses_and_gradients(model, views, data):
    total, log = model.parse_losses(model.loss(views, data))
    total.backward()
    return log, {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


whole = {}
for name, config in cases.items():
    model = build(config).double()
    given = inputs if name == 'students' else {'view1': inputs['view1']}
    whole[name] = model, given, *losses_and_gradients(copy.deepcopy(model), given, data)
taken = whole['students'][2]['first.noise_share']
assert 0 < taken < 1, taken
dist.init_process_group('gloo', init_method=f'file://{rendezvous}', rank=rank, world_size=2)
mine = slice(2 * rank, 2 * rank + 2)
for case, (model, given, log, expected) in whole.items():
    shown = {name: view[mine] for name, view in given.items()}
    own_log, gradients = losses_and_gradients(model, shown, data[mine])
    assert gradients.keys() == expected.keys(), (case, gradients.keys() ^ expected.keys())
    for gradient in gradients.values():
        dist.all_reduce(gradient)
    halves = {name: gradient / 2 for name, gradient in gradients.items()}
    torch.testing.assert_close(halves, expected, msg=lambda text: f'{case}: {text}')
    acc = {name for name in log if 'acc' in name}
    torch.testing.assert_close(
        {name: value for name, value in own_log.items() if name not in acc},
        {name: value for name, value in log.items() if name not in acc},
        msg=lambda text: f'{case}: {text}',
        check_dtype=False,
    )
dist.destroy_process_group()
"""


def test_two_processes_are_one(tmp_path):
    paths = [str(ROOT), str(MODELS), os.environ.get('PYTHONPATH', '')]
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', SCRIPT, str(rank), str(tmp_path / 'rendezvous')],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
