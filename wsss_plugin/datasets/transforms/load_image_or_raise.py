"""Image loading that never hands on a damaged image."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from mmseg.registry import TRANSFORMS
from PIL import Image

from wsss_plugin.datasets.pixel_modes import is_deep
from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError, cut


@TRANSFORMS.register_module()
class LoadImageOrRaise(LoadImageFromFile):
    """Loads an image and stops with the file's name and a remedy when that is impossible.

    Takes the arguments of mmcv's ``LoadImageFromFile``. The default decoder is Pillow: OpenCV
    fills the missing part of a truncated JPEG with grey and goes on.

    Args:
        imdecode_backend (str): Decoder, see ``mmcv.imfrombytes``.
        **kwargs: Passed on to ``LoadImageFromFile``.
    """

    def __init__(self, imdecode_backend: str = 'pillow', **kwargs: Any) -> None:
        super().__init__(imdecode_backend=imdecode_backend, **kwargs)

    def transform(self, results: dict) -> dict:
        """Adds ``img`` (uint8 (H, W, 3), BGR), ``img_shape`` and ``ori_shape``.

        Args:
            results (dict): Has ``img_path``.

        Returns:
            dict: ``results`` with the image.

        Raises:
            MissingFileError: There is no such file.
            DamagedFileError: The file is empty, truncated or no image.
            DataError: Pixels have more than 8 bits, which Pillow would clip to white.
        """
        path = results['img_path']
        try:
            loaded = super().transform(results)
        except FileNotFoundError as error:
            raise MissingFileError(
                f'{path}: expected an image, found no file; check data_root, data_prefix and '
                'img_suffix, or remove the name from the list of images'
            ) from error
        except Exception as error:
            raise DamagedFileError(
                f'{path}: expected a complete image, received a damaged, truncated or unsupported '
                f'file ({cut(error)}); replace the file or remove its name from the list of images'
            ) from error
        if loaded is not None and self.imdecode_backend == 'pillow':
            self._require_eight_bits(path)
        return loaded

    def _require_eight_bits(self, path: str) -> None:
        with (
            fileio.get_local_path(path, backend_args=self.backend_args) as local,
            Image.open(local) as image,
        ):
            mode = image.mode
        if is_deep(mode):
            raise DataError(
                f"{path}: expected an image of 8 bits per channel, received one in Pillow's mode "
                f"'{mode}', whose values would be clipped at 255; convert it to 8 bits with its "
                'values scaled to 0 to 255'
            )
