"""Where the records of measured runs lie."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from wsss_plugin.engine.ablation.run_record import RunRecord


class RecordFolder:
    """A folder of records, each under the path of its config in ``configs`` and the seed.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, name: str, seed: int, digest: str) -> Path:
        """The file of a run.

        Args:
            name: Name of the config, see :func:`config_name`.
            seed: The seed.
            digest: Digest of the config.

        Returns:
            The file of that name and seed; or, where it has no figures of this config, that of
            another name which has them.
        """
        own = self.root / name / f'seed_{seed}.json'
        known = self._known.get((digest, own.name), [])
        return own if own in known or not known else known[0]

    @cached_property
    def _known(self) -> dict[tuple[str, str], list[Path]]:
        """Files by digest and their own name."""
        found: dict[tuple[str, str], list[Path]] = {}
        for path in sorted(self.root.rglob('seed_*.json')):
            record = RunRecord.read(path)
            for digest in (record.digest, *record.equal):
                found.setdefault((digest, path.name), []).append(path)
        return found


def config_name(path: Path) -> str:
    """The name of a config: its path in the folder ``configs``, or else its file's name.

    Args:
        path: The config file.

    Returns:
        The name without suffix.

    >>> config_name(Path('configs/voc_animals/all.py')), config_name(Path('mine/all.py'))
    ('voc_animals/all', 'all')
    """
    *folders, name = path.absolute().with_suffix('').parts
    if 'configs' in folders:
        last = len(folders) - folders[::-1].index('configs')
        return '/'.join([*folders[last:], name])
    return name
