"""A CNN beside a vision transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule, ModuleList
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.backbones.feature_backbone import FeatureBackbone, Reduction
from wsss_plugin.models.backbones.feature_reader import check_feature, read_features
from wsss_plugin.models.backbones.first_convolution import adapt_when_loaded, image_channels
from wsss_plugin.models.backbones.replace_output import ReplaceOutput

_PLACEMENTS = ('stage', 'residual')
_CNN = 'cnn'


@MODELS.register_module()
class DualBranchBackbone(BaseModule):
    """Two feature extractors of different architecture (section 1.1 of the dual-branch paper).

    The modulation acts on the output of the named stages of the CNN and feeds the next stage
    (equations 2 to 4). It is attached by forward hooks, so the CNN keeps its parameter names and
    ordinary checkpoints load.

    Its features are those of the transformer, ``cnn`` for the CNN's last map and
    ``cnn.<submodule>`` for what a submodule of the CNN returns; a branch of which nothing is asked
    is not run.

    Args:
        cnn: Config of any backbone with stages; its last output is the CNN's feature map.
        vit: Config of a backbone with features by name, such as ``TimmVisionTransformer``.
        modulation: Config of the modulation without ``channels``, or None for none.
        modulated_stages: Names of the submodules of the CNN after which the modulation acts.
        placement: 'stage' modulates the output of the stage, 'residual' the residual branch of
            each of its blocks before the addition, as AMR does. Blocks without a shortcut, as in
            MobileNetV2, have no such branch and are left alone.
        init_cfg: MMEngine's initialisation config.
        in_channels: Channels of the images, given to both branches; None for what their configs
            say. For other than 3 the first layers are adapted to pretrained weights of 3.

    Raises:
        ValueError: If ``placement`` is unknown, a stage does not exist in the CNN, or the branches
            take images of different channels.
        TypeError: If the transformer has no features by name or a stage returns several maps.
    """

    def __init__(
        self,
        cnn: dict,
        vit: dict,
        modulation: dict | None = None,
        modulated_stages: Sequence[str] = ('layer1', 'layer2', 'layer3'),
        placement: str = 'stage',
        init_cfg: dict | list[dict] | None = None,
        in_channels: int | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if in_channels is not None:
            cnn, vit = ({**branch, 'in_channels': in_channels} for branch in (cnn, vit))
        if placement not in _PLACEMENTS:
            raise ValueError(
                f'expected backbone.placement in {_PLACEMENTS}, received {placement!r}'
            )
        self.cnn = MODELS.build(cnn)
        self.vit = MODELS.build(vit)
        if not isinstance(self.vit, FeatureBackbone):
            raise TypeError(
                'expected backbone.vit with methods forward_features and check_feature, received '
                f'{type(self.vit).__name__}; use TimmVisionTransformer'
            )
        self._require_same_channels()
        adapt_when_loaded(self.cnn)
        self.modulations = ModuleList()
        self._modulated_names: list[str] = []
        self._hooked: dict[str, nn.Module] = {}
        if modulation is not None:
            self._modulated_names = self._names_of_modulated(modulated_stages, placement)
            targets = [self.cnn.get_submodule(name) for name in self._modulated_names]
            for channels in self._output_channels(targets):
                self.modulations.append(MODELS.build(dict(modulation, channels=channels)))
            self._attach_modulations()

    def _require_same_channels(self) -> None:
        channels = {name: image_channels(getattr(self, name)) for name in ('cnn', 'vit')}
        if len(set(channels.values()) - {None}) > 1:
            raise ConfigError(
                'expected branches for the same images, received a CNN of '
                f'{channels["cnn"]} channels and a transformer of {channels["vit"]}; set '
                'backbone.in_channels, which is given to both'
            )

    def _names_of_modulated(self, stages: Sequence[str], placement: str) -> list[str]:
        try:
            modules = [self.cnn.get_submodule(name) for name in stages]
        except AttributeError as error:
            known = [name for name, _ in self.cnn.named_children()]
            raise ValueError(
                f'expected backbone.modulated_stages among the submodules {known} of '
                f'{type(self.cnn).__name__}, received {list(stages)}: {error}'
            ) from error
        if placement == 'stage':
            return list(stages)
        return [
            name
            for stage, module in zip(stages, modules, strict=True)
            for name in _residual_ends(stage, module)
        ]

    def _attach_modulations(self) -> None:
        """Hooks the modulations to their modules, again where a module is a new one.

        MMEngine and torch convert batch norms to synchronised ones and back by putting new modules
        in their places, after the model was built and without its hooks.
        """
        for name, modulation in zip(self._modulated_names, self.modulations, strict=True):
            module = self.cnn.get_submodule(name)
            if self._hooked.get(name) is not module:
                module.register_forward_hook(ReplaceOutput(modulation))
                self._hooked[name] = module

    @torch.no_grad()
    def _output_channels(self, targets: list[nn.Module]) -> list[int]:
        """Channels of each target, observed, because backbones do not declare them alike."""
        channels: dict[nn.Module, int] = {}
        handles = [
            target.register_forward_hook(
                lambda module, _inputs, output: channels.update({module: _channels(output)})
            )
            for target in targets
        ]
        training = self.cnn.training
        self.cnn.eval()
        self.cnn(torch.zeros(1, image_channels(self.cnn) or 3, 64, 64))
        self.cnn.train(training)
        for handle in handles:
            handle.remove()
        return [channels[target] for target in targets]

    def check_feature(self, name: str) -> None:
        """Checks that a feature exists.

        Args:
            name: Name of the feature.

        Raises:
            ValueError: If neither branch has it.
        """
        if _of_cnn(name):
            if name != _CNN:
                check_feature(self.cnn, name.removeprefix(f'{_CNN}.'))
            return
        try:
            self.vit.check_feature(name)
        except ValueError as error:
            raise ValueError(f"{error}; or 'cnn' and 'cnn.<submodule>' of the CNN") from error

    @classmethod
    def deployed(
        cls, config: Mapping[str, Any], reads: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The config of the branch that a decode head reads.

        Args:
            config: The backbone's config.
            reads: Names of the features.

        Returns:
            The branch's config, without pretrained weights, and the new prefix of the names of
            weights by the old one.

        Raises:
            ValueError: If the head reads the CNN, whose modulation a plain backbone has not.
        """
        if any(_of_cnn(name) for name in reads):
            raise ValueError(
                'expected decode_reads of the transformer alone for a model that is deployed, '
                f'received {tuple(reads)}; deploy the segmentor as it is'
            )
        vit = dict(config['vit'])
        if config.get('in_channels') is not None:
            vit['in_channels'] = config['in_channels']
        branch = MODELS.get(vit.get('type', 'TimmVisionTransformer'))
        deployed, prefixes = branch.deployed(vit, reads)
        return deployed, {f'vit.{old}': new for old, new in prefixes.items()}

    def forward_features(
        self,
        image: Tensor,
        names: Sequence[str],
        reduce: Mapping[str, Reduction] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Tensor]:
        """Features of a batch of images by name; a branch without a name is not run.

        Args:
            image: Normalised images, shape (B, 3, H, W).
            names: Which features.
            reduce: As for the transformer.
            context: As for the transformer.

        Returns:
            Features by name.
        """
        of_cnn = [name for name in names if _of_cnn(name)]
        of_vit = [name for name in names if not _of_cnn(name)]
        features = read_features(self.vit, image, of_vit, reduce, context)
        if of_cnn:
            features.update(self._cnn_features(image, of_cnn))
        return features

    def _cnn_features(self, image: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        self._attach_modulations()
        inner = {name: name.removeprefix(f'{_CNN}.') for name in names}
        inner = {name: 'out.-1' if name == _CNN else given for name, given in inner.items()}
        found = read_features(self.cnn, image, list(dict.fromkeys(inner.values())))
        return {name: found[given] for name, given in inner.items()}

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of both branches in MMSegmentation's form.

        Args:
            image: Normalised images, shape (B, 3, H, W).

        Returns:
            The CNN's outputs, then the transformer's; the last is the final patch token map.
        """
        self._attach_modulations()
        maps = self.cnn(image)
        return (*((maps,) if isinstance(maps, Tensor) else maps), *self.vit(image))


def _of_cnn(name: str) -> bool:
    return name == _CNN or name.startswith(f'{_CNN}.')


def _channels(output: Tensor) -> int:
    if not isinstance(output, Tensor):
        raise TypeError(
            'expected one feature map from each of backbone.modulated_stages, received '
            f'{type(output).__name__}; name submodules that return one map'
        )
    return output.shape[1]


def _adds(block: nn.Module) -> bool:
    """Whether a block adds a shortcut; only inverted residual blocks may go without."""
    return getattr(block, 'use_res_connect', True)


def _residual_ends(stage: str, module: nn.Module) -> list[str]:
    """Names of the modules whose outputs the residual blocks of a stage add to their shortcuts."""
    ends = [
        f'{stage}.{name}.{_residual_end(block)}'
        for name, block in module.named_children()
        if _adds(block)
    ]
    if not ends:
        raise ValueError(
            "expected residual blocks in every stage for backbone.placement='residual', "
            f"received {stage!r} without; leave it out or use placement='stage'"
        )
    return ends


def _residual_end(block: nn.Module) -> str:
    """The name of the module whose output is added to the shortcut of a residual block."""
    for name in ('norm3', 'norm2', 'conv'):
        if hasattr(block, name):
            return name
    raise ValueError(
        "expected residual blocks with norm3, norm2 or conv for backbone.placement='residual', "
        f"received {type(block).__name__}; use placement='stage'"
    )
