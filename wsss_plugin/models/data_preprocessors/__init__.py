"""Data preprocessors."""

from wsss_plugin.models.data_preprocessors.multi_view_data_preprocessor import (
    MultiViewDataPreProcessor,
)

__all__ = ['MultiViewDataPreProcessor']
