"""Mask loading that names the file where it fails."""

from __future__ import annotations

from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadMaskOrRaise(LoadAnnotations):
    """Loads a mask of class ids and stops with the file's name and a remedy if that is impossible.

    Takes the arguments of mmseg's ``LoadAnnotations``.
    """

    def transform(self, results: dict) -> dict:
        """Adds ``gt_seg_map`` (uint8 (H, W)).

        Args:
            results (dict): Has ``seg_map_path``.

        Returns:
            dict: ``results`` with the mask.

        Raises:
            KeyError: The data set gives no path of a mask.
            FileNotFoundError: There is no such file.
            RuntimeError: The file is empty, truncated or no image.
            ValueError: The mask has several channels.
        """
        path = results.get('seg_map_path')
        if path is None:
            raise KeyError(
                f'{results.get("img_path")}: expected the path of a mask, received none; set '
                'load_masks=True of a data set in training, or take the loading of masks out of '
                'the pipeline'
            )
        try:
            results = super().transform(results)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{path}: expected a mask, found no file; check data_root, data_prefix and '
                'seg_map_suffix, or remove the name from the list of images'
            ) from error
        except Exception as error:
            raise RuntimeError(
                f'{path}: expected a complete mask, received a damaged, truncated or unsupported '
                f'file ({error}); replace the file or remove its name from the list of images'
            ) from error
        if results['gt_seg_map'].ndim != 2:
            raise ValueError(
                f'{path}: expected a mask with one class id per pixel, received an image of '
                f'{results["gt_seg_map"].shape[-1]} channels; save it as an 8-bit or palette PNG'
            )
        return results
