"""Pictures of predictions and CAMs."""

from wsss_plugin.visualization.cam_picture import CAMPicture
from wsss_plugin.visualization.class_overlay import class_overlay
from wsss_plugin.visualization.contact_sheet import contact_sheet
from wsss_plugin.visualization.inner_panel import inner_panel
from wsss_plugin.visualization.panel import (
    default_palette,
    draw_panel,
    overlay_heat,
    overlay_label,
    panel_from_sample,
    panel_of_models,
)
from wsss_plugin.visualization.view_panel import view_panel
from wsss_plugin.visualization.walk_panel import walk_panel

__all__ = [
    'CAMPicture',
    'class_overlay',
    'contact_sheet',
    'default_palette',
    'draw_panel',
    'inner_panel',
    'overlay_heat',
    'overlay_label',
    'panel_from_sample',
    'panel_of_models',
    'view_panel',
    'walk_panel',
]
