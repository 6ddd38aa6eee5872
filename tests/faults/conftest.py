"""Small trainings in processes that can be killed, and files served on this machine."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _load(name, path):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope='session')
def toy():
    return _load('toy_training', ROOT / 'tests' / 'engine' / 'toy_training.py')


@pytest.fixture
def served(tmp_path):
    """A folder and the address at which its files are served; downloads stay in the test's."""
    folder = tmp_path / 'served'
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv('TORCH_HOME', str(tmp_path / 'home'))
            for name in ('http_proxy', 'https_proxy', 'all_proxy'):
                patch.delenv(name, raising=False)
                patch.delenv(name.upper(), raising=False)
            patch.setenv('no_proxy', '127.0.0.1')
            yield folder, f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def config_file(toy, tmp_path):
    """The toy training as a config file, with one checkpoint kept."""
    config = toy.toy_config(tmp_path / 'work', constant=True, max_iters=40)
    config.pop('model_wrapper_cfg')
    config.default_hooks.checkpoint.update(interval=2, max_keep_ckpts=1)
    config.custom_imports = {'imports': ['toy_training'], 'allow_failed_imports': False}
    config.dump(tmp_path / 'toy.py')
    return tmp_path / 'toy.py'


@pytest.fixture
def train(config_file, tmp_path):
    """Runs tools/train.py in this process."""
    runs = []

    def train(*options, work_dir='work'):
        runs.append(work_dir)
        arguments = [str(config_file), *map(str, options)]
        if '--cfg-options' not in options:
            arguments.append('--cfg-options')
        # The toolbox keeps logs by their names as long as the process lives.
        arguments += [f'experiment_name={tmp_path.name}{len(runs)}']
        arguments += ['--work-dir', str(tmp_path / work_dir)]
        _load('wsss_tool_train', ROOT / 'tools' / 'train.py').main(arguments)

    return train


@pytest.fixture
def start(config_file, tmp_path):
    """Starts tools/train.py in a process of its own group."""
    started = []

    def start(*options, work_dir='work', **environment):
        command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(config_file)]
        command += [*map(str, options), '--work-dir', str(tmp_path / work_dir)]
        paths = f'{ROOT}{os.pathsep}{ROOT / "tests" / "engine"}'
        process = subprocess.Popen(
            command,
            env={**os.environ, 'PYTHONPATH': paths, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
