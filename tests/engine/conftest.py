"""Loads the toy training."""

import importlib.util
import sys
from pathlib import Path

import pytest

_PATH = Path(__file__).with_name('toy_training.py')


@pytest.fixture(scope='session')
def toy():
    name = 'toy_training'
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _PATH)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
