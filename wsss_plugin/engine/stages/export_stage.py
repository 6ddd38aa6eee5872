"""An export of pseudo labels as a stage."""

from __future__ import annotations

from pathlib import Path

from wsss_plugin.datasets.label_manifest import MANIFEST_FILE, LabelManifest
from wsss_plugin.engine.fingerprints import folder_fingerprint, values_fingerprint
from wsss_plugin.engine.label_export.label_folder import SETTINGS_FILE
from wsss_plugin.engine.stages.predict_stage import PredictStage
from wsss_plugin.engine.stages.stage import input_path
from wsss_plugin.engine.stages.tool_call import ToolCall
from wsss_plugin.errors import DataError, MissingFileError, listed


class ExportStage(PredictStage):
    """``dict(export='name of a training')``: ``tools/export_labels.py``, which goes on."""

    KIND = 'export'
    MAKES = 'labels'

    @property
    def output(self) -> Path:
        """What other stages read."""
        return self.folder

    def call(self, config: Path) -> ToolCall:
        """The call of the tool."""
        options = ['--out', str(self.folder), *self.arguments]
        return ToolCall('export_labels.py', [str(config), input_path(self.read)], options)

    def lacks(self) -> str:
        """What the output lacks, in words."""
        try:
            manifest = LabelManifest.read(self.folder)
        except (DataError, MissingFileError) as error:
            return str(error)
        missing = [name for name in manifest.images if not manifest.path(name).is_file()]
        return f'{len(missing)} labels are missing: {listed(missing, 3)}' if missing else ''

    def output_fingerprint(self) -> str:
        """Fingerprint of the output."""
        manifest = LabelManifest.read(self.folder)
        meaning = [manifest.classes, manifest.images, manifest.ignore]
        # Both say of which version and of which settings the labels are.
        files = folder_fingerprint(self.folder, without=(MANIFEST_FILE, SETTINGS_FILE))
        return values_fingerprint([*meaning, files])

    def progress(self) -> str:
        """How far it has come, in words."""
        return f'{sum(1 for _ in self.folder.rglob("*.png"))} labels'
