"""Seeds, the device, saved reference arrays and plain formulations for all tests."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import mmengine.device.utils
import numpy as np
import pytest
import torch

TESTS = Path(__file__).parent
# The tests are many small computations, which several threads only slow down, by far where other
# programs keep the cores busy.
torch.set_num_threads(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked ``training`` run on OpenMMLab's own packages, on others only on request."""
    if 'training' in config.option.markexpr or not _is_installed('onedl-mmengine'):
        return
    trainings = [item for item in items if item.get_closest_marker('training') is not None]
    config.hook.pytest_deselected(items=trainings)
    items[:] = [item for item in items if item not in trainings]


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Every test draws the same numbers, alone and among others."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _cpu(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests and the processes that they start use the CPU, unless they are marked ``gpu``."""
    if request.node.get_closest_marker('gpu') is not None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        # MMEngine asks for the device only once, when it is imported.
        patch.setattr(mmengine.device.utils, 'DEVICE', 'cpu')
        patch.setattr(torch.cuda, 'is_available', lambda: False)
        patch.setenv('CUDA_VISIBLE_DEVICES', '')
        yield


@pytest.fixture
def reference() -> Callable[[str], dict[str, torch.Tensor]]:
    """Loads the arrays of a file of tests/data as tensors by name."""

    def load(name: str) -> dict[str, torch.Tensor]:
        with np.load(TESTS / 'data' / f'{name}.npz') as arrays:
            return {
                key: torch.from_numpy(arrays[key])
                for key in arrays.files
                if arrays[key].dtype.kind in 'fiub'
            }

    return load


@pytest.fixture(scope='session')
def plain() -> ModuleType:
    """The module of plain formulations."""
    path = TESTS / 'plain_formulations.py'
    spec = importlib.util.spec_from_file_location('plain_formulations', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
