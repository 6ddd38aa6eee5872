"""Refinement of pseudo labels."""

from wsss_plugin.models.pseudo_labels.par import PAR

__all__ = ['PAR']
