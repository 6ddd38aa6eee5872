"""Gates whose mean is 1 where values are normally distributed."""

from mmseg.registry import MODELS

from wsss_plugin.models.necks import ActivationModulation


@MODELS.register_module()
class MeanOneModulation(ActivationModulation):
    """Its gates have the maximum sqrt(2)."""

    def _gate(self, values):
        return 2**0.5 * super()._gate(values)
