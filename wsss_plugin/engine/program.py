"""Which state of this package runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import wsss_plugin


def describe_program() -> dict[str, str]:
    """The version of this package and, in a checkout, its commit.

    Returns:
        ``version`` and ``commit``; the latter ends in '-dirty' where files were changed, and is
        empty where the package is not in a checkout of its own.
    """
    return {'version': wsss_plugin.__version__, 'commit': _commit(Path(wsss_plugin.__file__))}


def _commit(package: Path) -> str:
    root = package.resolve().parents[1]
    if not (root / '.git').exists():
        return ''
    command = ['git', '-C', str(root), 'describe', '--always', '--abbrev=40', '--exclude=*']
    try:
        done = subprocess.run([*command, '--dirty'], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return done.stdout.strip()
