"""Saves the weights with which a training would begin: CONFIG SEED OUT."""

import sys

import torch
from mmengine.runner import Runner

from wsss_plugin.engine.run_config import load_config

path, seed, out = sys.argv[1:]
runner = Runner.from_cfg(load_config(path, options={'randomness.seed': int(seed)}))
runner._init_model_weights()
torch.save(runner.model.state_dict(), out)
