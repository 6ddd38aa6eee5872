"""What a config of a segmentor says about it, without building anything."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from wsss_plugin.models.registered_class import registered_class

_KEPT = ('data_preprocessor', 'decode_head', 'test_cfg')
_OF_TRAINING = ('cam', 'pseudo_label', 'class_prior', 'cam_threshold', 'multi_scale')


class WeakSegmentorConfig:
    """Answers of ``WeakSegmentor`` to tools that have its config only."""

    @classmethod
    def deployed(cls, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """The ordinary ``EncoderDecoder`` that predicts alone what the segmentor predicts.

        It has no CAM source, so a class prior is left out.

        Args:
            config: ``model`` of a config.

        Returns:
            Its config, and the new prefix of the names of weights by the old one; weights without
            such a prefix are left out.

        Raises:
            ValueError: If the segmentor has no decode head, or the head reads what no plain
                backbone returns.
        """
        if config.get('decode_head') is None:
            raise ValueError(
                'expected a model with a decode head, which segments images without tags, received '
                'decode_head=None; train a segmentor on its labels'
            )
        reads = config.get('decode_reads', 'patch')
        names = (reads,) if isinstance(reads, str) else tuple(reads)
        backbone, prefixes = _deployed_backbone(config['backbone'], names)
        model: dict[str, Any] = {
            key: copy.deepcopy(dict(config[key])) for key in _KEPT if config.get(key) is not None
        }
        model['decode_head'].pop('init_cfg', None)
        test_cfg = {
            key: value
            for key, value in model.get('test_cfg', {}).items()
            if key not in _OF_TRAINING
        }
        model.update(type='EncoderDecoder', backbone=backbone, train_cfg={})
        model['test_cfg'] = {'mode': 'whole', **test_cfg}
        renamed = {f'backbone.{old}': f'backbone.{new}' for old, new in prefixes.items()}
        return model, {**renamed, 'decode_head.': 'decode_head.'}

    @classmethod
    def predicts(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """What the segmentor predicts.

        Args:
            config: ``model`` of a config.

        Returns:
            ``segmentation``: 'decode_head', or 'cam', which uses tags; ``cams``: names of its CAM
            sources; ``labels``: names of the label makers that give label maps.
        """
        head = config.get('decode_head')
        cams, labels = _present(config.get('cams')), _present(config.get('labels'))
        return {
            'segmentation': 'cam' if head is None else 'decode_head',
            'cams': tuple(
                name for name in sorted(cams) if not registered_class(cams[name]).reads_decoder
            ),
            'labels': tuple(
                name for name in sorted(labels) if registered_class(labels[name]).per_pixel
            ),
        }

    @classmethod
    def threshold_keys(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Where the background thresholds are.

        Args:
            config: ``model`` of a config.

        Returns:
            Dotted keys, of the segmentor's first.
        """
        labels = _present(config.get('labels'))
        own = [name for name in sorted(labels) if labels[name].get('thresholds')]
        return ('thresholds', *(f'labels.{name}.thresholds' for name in own))


def _present(parts: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: part for name, part in (parts or {}).items() if part is not None}


def _deployed_backbone(
    config: Mapping[str, Any], reads: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, str]]:
    kind = registered_class(config)
    if hasattr(kind, 'deployed'):
        return kind.deployed(config, reads)
    if len(reads) != 1 or reads[0] != 'out.-1':
        raise ValueError(
            f"expected decode_reads='out.-1', the last output of {kind.__name__}, for a model that "
            f'is deployed, received {reads}; deploy the segmentor as it is'
        )
    dropped = ('pretrained', 'init_cfg')
    return {key: value for key, value in config.items() if key not in dropped}, {'': ''}
