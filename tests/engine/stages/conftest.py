import importlib.util
import sys
from pathlib import Path

import pytest

from wsss_plugin.engine.stages import StagePlace, StageRunner


@pytest.fixture(scope='session')
def toy_stage():
    if 'toy_stage' not in sys.modules:
        path = Path(__file__).parent / 'toy_stage.py'
        spec = importlib.util.spec_from_file_location('toy_stage', path)
        sys.modules['toy_stage'] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules['toy_stage'])
    return sys.modules['toy_stage']


@pytest.fixture
def chain(toy_stage, tmp_path):
    """Makes a runner of toy stages, each of which reads the one before it."""
    (tmp_path / 'toy.py').write_text(toy_stage.TOOL)

    def chain(**texts):
        stages = {}
        for name, text in texts.items():
            inputs = {'text': list(stages)[-1]} if stages else {}
            place = StagePlace(tmp_path / 'work', tmp_path, dict(stages))
            stages[name] = toy_stage.ToyStage(name, dict(toy=text, inputs=inputs), place)
        return StageRunner(stages, tmp_path / 'work', tmp_path)

    return chain


@pytest.fixture
def place(tmp_path):
    """Where a stage of configs in a temporary folder stands, behind others."""
    return lambda **earlier: StagePlace(tmp_path / 'work', tmp_path, earlier)
