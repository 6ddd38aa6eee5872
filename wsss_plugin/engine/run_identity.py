"""What a run is: its name, its work folder, and the checkpoints there that are its own.

A run has a name, drawn when its training begins and kept by ``--resume``. It is in ``run.json`` of
the work folder and in ``meta.run`` of every checkpoint. Nothing here follows a path that a file of
the folder names: a folder that was copied or renamed is a folder of its own.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log

from wsss_plugin import compat
from wsss_plugin.whole_file import write_json

RUN_FILE = 'run.json'
LAST_FILE = 'last_checkpoint'
_NAME = re.compile(r'(iter|epoch)_(\d+)\.pth')
_SET_ASIDE = ('iter_*.pth', 'epoch_*.pth', 'best_*.pth', LAST_FILE, RUN_FILE)
_CHECKED = (
    ('state_dict', Mapping),
    ('optimizer', Mapping),
    ('message_hub', Mapping),
    ('meta', Mapping),
)


@dataclass(frozen=True)
class RunCheckpoint:
    """A complete checkpoint, from which a training can continue.

    Attributes:
        path: The file.
        run: Name of the run, None if a version without names saved it.
        iteration: Iterations trained.
    """

    path: Path
    run: str | None
    iteration: int

    @classmethod
    def read(cls, path: str | Path) -> RunCheckpoint:
        """Reads what a checkpoint says of itself, without its tensors where its format allows.

        Args:
            path: The file.

        Returns:
            The description.

        Raises:
            FileNotFoundError: If the file does not exist.
            RuntimeError: If it is damaged or holds other objects.
            ValueError: If a training cannot continue from it; names what is missing.
        """
        content = read_checkpoint(path)
        for key, kind in _CHECKED:
            if not isinstance(content.get(key), kind):
                raise ValueError(
                    f'expected {key} in {path} to continue a training from it, received '
                    f'{_kind(content.get(key))}; it holds weights only or is damaged: start from '
                    'them by load_from, or resume from another checkpoint'
                )
        meta, hub = content['meta'], content['message_hub']
        for place, key in (('meta', 'iter'), ('meta', 'epoch')):
            if type(meta.get(key)) is not int or meta[key] < 0:
                raise ValueError(
                    f'expected {place}.{key} in {path} to be a number of at least 0, received '
                    f'{meta.get(key)!r:.60}; resume from another checkpoint'
                )
        for key in ('log_scalars', 'runtime_info', 'resumed_keys'):
            if not isinstance(hub.get(key), Mapping):
                raise ValueError(
                    f'expected message_hub.{key} in {path}, received {_kind(hub.get(key))}; resume '
                    'from another checkpoint'
                )
        run = meta.get('run')
        return cls(Path(path), run if isinstance(run, str) else None, meta['iter'])


def read_checkpoint(path: str | Path) -> Mapping[str, Any]:
    """Reads a checkpoint, its tensors as they are needed where its format allows.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: If the file does not exist.
        RuntimeError: If it is damaged or holds other objects.
        ValueError: If it is no checkpoint.
    """
    trusted = compat.trusts_checkpoints()
    try:
        # The tensors stay on the disk.
        content = torch.load(path, map_location='cpu', mmap=True, weights_only=not trusted)
    except Exception:
        # Older formats cannot be mapped; and this one says what is wrong.
        content = compat.load_from_local(str(path), map_location='cpu')
    if not isinstance(content, Mapping):
        raise ValueError(
            f'expected a checkpoint in {path}, received a {type(content).__name__}; give one that '
            'tools/train.py saved'
        )
    return content


def new_name() -> str:
    """Draws the name of a run.

    Returns:
        str: 12 hexadecimal digits; no seed of the training changes them.
    """
    return uuid.uuid4().hex[:12]


def read_run(folder: str | Path) -> dict[str, Any]:
    """Reads ``run.json`` of a work folder.

    Args:
        folder: The work folder.

    Returns:
        ``run``, its name, and ``continues``, the name of the checkpoint in this folder from which
        it was resumed last, or None; empty without a readable file.
    """
    try:
        content = json.loads(Path(folder, RUN_FILE).read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and isinstance(content.get('run'), str) else {}


def write_run(folder: str | Path, run: str, continues: str | None = None) -> None:
    """Writes ``run.json`` into a work folder.

    Args:
        folder: The work folder.
        run: Name of the run.
        continues: Name of the checkpoint in this folder from which it goes on.
    """
    write_json(Path(folder, RUN_FILE), {'run': run, 'continues': continues})


def latest_checkpoint(
    folder: str | Path, checkpoints: str | Path | None = None
) -> tuple[RunCheckpoint | None, list[str]]:
    """Finds the latest complete checkpoint of the run of a work folder.

    The one that ``last_checkpoint`` names comes first, by its name alone; then the others from the
    highest iteration down. Those of other runs, by ``run.json``, are left out.

    Args:
        folder: The work folder.
        checkpoints: Where its checkpoints are, the work folder itself if None.

    Returns:
        The checkpoint, None if there is none, and why others were passed over.
    """
    known = read_run(folder)
    passed = []
    for path in _candidates(Path(folder), Path(checkpoints or folder)):
        try:
            found = RunCheckpoint.read(path)
        except (OSError, RuntimeError, ValueError) as error:
            passed.append(f'{path.name} cannot be resumed from: {error}')
            continue
        own = not known or found.run == known['run'] or path.name == known.get('continues')
        if own:
            return found, passed
        passed.append(f'{path.name} is of the run {found.run or "without a name"}, not of this one')
    return None, passed


def find_checkpoint(folder: str | Path, checkpoints: str | Path | None = None) -> str | None:
    """Finds the latest complete checkpoint by :func:`latest_checkpoint`, and says what it found.

    Args:
        folder: The work folder.
        checkpoints: Where its checkpoints are, the work folder itself if None.

    Returns:
        Its path, None if there is none.
    """
    found, passed = latest_checkpoint(folder, checkpoints)
    for reason in passed:
        print_log(reason, logger='current', level=logging.WARNING)
    if found is None:
        print_log(
            f'{folder} has no complete checkpoint of its run; the training begins at iteration 0',
            logger='current',
            level=logging.WARNING,
        )
        return None
    print_log(
        f'the run {found.run or "without a name"} goes on at iteration {found.iteration}, from '
        f'{found.path}',
        logger='current',
    )
    return str(found.path)


def set_aside(
    folder: str | Path, kept: Collection[Path] = (), after: int | None = None
) -> Path | None:
    """Moves the checkpoints of an earlier run of a work folder to ``previous-<n>`` in it.

    Args:
        folder: The work folder.
        kept: Files that stay, for example because the new run starts from them.
        after: Moves the checkpoints of later iterations only.

    Returns:
        The folder to which they were moved, None if there were none.
    """
    folder, kept = Path(folder), {path.resolve() for path in kept}
    chosen = [
        path
        for pattern in _SET_ASIDE
        for path in sorted(folder.glob(pattern))
        if path.resolve() not in kept and (after is None or _iteration(path) > after)
    ]
    if not any(path.suffix == '.pth' for path in chosen):
        # Notes without checkpoints are only overwritten.
        return None
    numbers = [path.name.rpartition('-')[2] for path in folder.glob('previous-*')]
    number = 1 + max((int(text) for text in numbers if text.isdigit()), default=0)
    target = folder / f'previous-{number}'
    target.mkdir()
    for path in chosen:
        path.rename(target / path.name)
    return target


def _iteration(path: Path) -> int:
    """Iteration by the name; notes and others count as the first."""
    found = _NAME.fullmatch(path.name)
    return int(found[2]) if found and found[1] == 'iter' else -1


def _candidates(folder: Path, checkpoints: Path) -> Iterator[Path]:
    named = None
    try:
        text = (folder / LAST_FILE).read_text(encoding='utf-8').strip()
    except (OSError, UnicodeDecodeError):
        text = ''
    # Another system may have written the path.
    name = re.split(r'[/\\]', text)[-1]
    if _NAME.fullmatch(name) and (checkpoints / name).is_file():
        named = checkpoints / name
        yield named
    found = [(_NAME.fullmatch(path.name), path) for path in checkpoints.glob('*.pth')]
    numbered = [(int(match[2]), path) for match, path in found if match and path != named]
    for _, path in sorted(numbered, reverse=True):
        yield path


def _kind(value: Any) -> str:
    return 'none' if value is None else f'a {type(value).__name__}'
