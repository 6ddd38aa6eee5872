"""Modules between backbone and head."""

from wsss_plugin.models.necks.activation_modulation import ActivationModulation
from wsss_plugin.models.necks.activation_modulation_neck import ActivationModulationNeck

__all__ = ['ActivationModulation', 'ActivationModulationNeck']
