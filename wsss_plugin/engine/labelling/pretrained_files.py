"""Which file of weights is for which branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from timm.models import load_state_dict
from torch import Tensor

from wsss_plugin.errors import ConfigError, DamagedFileError, MissingFileError, cut, listed

_SAFE = '.safetensors'
_SUFFIXES = ('.pth', '.pt', '.bin', _SAFE)
# Width of the transformer by the backbone of own_data.py.
_WIDTHS = {192: 'small', 768: 'base'}


@dataclass(frozen=True)
class PretrainedFiles:
    """Pretrained weights of the two branches.

    Attributes:
        vit: File of the transformer, None where it is downloaded.
        cnn: File of the CNN, likewise.
        preset: The preset that the transformer's width fits, None without a file of it.
    """

    vit: Path | None = None
    cnn: Path | None = None
    preset: str | None = None

    @classmethod
    def find(cls, given: Sequence[str | Path]) -> PretrainedFiles:
        """Looks into files, or folders of them.

        Args:
            given: Paths.

        Returns:
            The files.

        Raises:
            MissingFileError: If a path does not exist.
            ConfigError: If two are for one branch, a transformer has an unknown width, or a CNN
                is of a format that the toolbox does not load.
            DamagedFileError: If a file holds no weights.
        """
        vit, cnn, preset = [], [], None
        for file in _files(given):
            loaded = _weights(file)
            width = next((w.shape[-1] for k, w in loaded.items() if k.endswith('pos_embed')), None)
            if width is None and file.suffix == _SAFE:
                raise ConfigError(
                    f'--weights {file}: expected weights of a CNN in a .pth, received {_SAFE}; '
                    'download that file, or leave it out, and it is downloaded'
                )
            if width is None:
                cnn.append(file)
                continue
            vit.append(file)
            preset = _WIDTHS.get(width)
            if preset is None:
                raise ConfigError(
                    f'--weights {file}: expected a transformer of width {listed(_WIDTHS)}, '
                    f'received {width}; take DeiT-tiny or ViT-B/16, or write a config of your own'
                )
        for kind, files in (('transformer', vit), ('CNN', cnn)):
            if len(files) > 1:
                raise ConfigError(
                    f'--weights: expected one file for the {kind}, received {listed(files)}; name '
                    'the one to take'
                )
        return cls(vit[0] if vit else None, cnn[0] if cnn else None, preset)


def _weights(file: Path) -> dict[str, Tensor]:
    try:
        return load_state_dict(str(file), device='cpu', weights_only=True)
    except Exception as error:
        raise DamagedFileError(
            f'--weights {file}: expected a file of weights, received one that cannot be read as '
            f'such ({cut(error, 200)}); download it again, or name the right file'
        ) from error


def _files(given: Sequence[str | Path]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, given):
        if not path.exists():
            raise MissingFileError(
                f'--weights: expected a file or a folder, received {path}, which does not exist; '
                'correct the path'
            )
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        found += [one.absolute() for one in inside if not path.is_dir() or one.suffix in _SUFFIXES]
    return found
