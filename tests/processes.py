"""Two processes of a training that run one script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_MODELS = Path(__file__).parent


def run_two_processes(script: str, rendezvous: Path) -> None:
    """Runs a script with its rank and a file for the rendezvous as arguments; both must succeed.

    Args:
        script: Text of the script, which may import the modules of tests/models.
        rendezvous: A file that is not there yet.
    """
    paths = [str(_MODELS.parents[1]), str(_MODELS), os.environ.get('PYTHONPATH', '')]
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', script, str(rank), str(rendezvous)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
