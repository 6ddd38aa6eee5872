"""Gives rare classes more weight in the classification."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.datasets.tag_counts import tag_counts
from wsss_plugin.errors import ConfigError
from wsss_plugin.ops.class_weights import frequency_weights


@HOOKS.register_module()
class TagFrequencyHook(Hook):
    """Sets the class weights of classification losses from the tags that are trained on.

    It serves every loss of the model with ``class_weight='tag_frequency'``;
    :func:`wsss_plugin.ops.frequency_weights` has the formula. No mask is opened, and a resumed
    run has the same weights.

    Args:
        power (float): From 0, every image weighs alike, to 1, every class does.

    Raises:
        ConfigError: If the power is out of range.
    """

    def __init__(self, power: float = 0.5) -> None:
        if not 0 <= power <= 1:
            raise ConfigError(
                f'power of TagFrequencyHook: expected a number from 0 to 1, received {power}'
            )
        self.power = power

    def before_train(self, runner: Runner) -> None:
        """Counts the tags and sets and logs the weights.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            ConfigError: If no loss asks for weights, the data have no tags, or a class no image.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        losses = [part for part in model.modules() if getattr(part, 'by_frequency', False)]
        if not losses:
            raise ConfigError(
                "TagFrequencyHook: expected a loss of the model with class_weight='tag_frequency', "
                "as terms=dict(cls=dict(loss=dict(type='MultiLabelSoftMarginLoss', "
                "class_weight='tag_frequency'))), received none; set it or leave the hook out"
            )
        counts = tag_counts(runner.train_dataloader.dataset)
        never = [name for name, count in counts.items() if not count]
        if never:
            raise ConfigError(
                'TagFrequencyHook: expected at least one training image of each class, received '
                f'none of {never[:5]} ({len(never)} classes); leave them out of metainfo'
            )
        weights = frequency_weights(list(counts.values()), self.power)
        device = next(model.parameters()).device
        for loss in losses:
            loss.set_class_weight(weights)
            loss.to(device)
        said = ', '.join(
            f'{name} {weight:.3g} ({count} images)'
            for (name, count), weight in list(zip(counts.items(), weights, strict=True))[:30]
        )
        print_log(f'class weights of the classification: {said}', logger='current')
