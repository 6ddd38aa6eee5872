"""An export of pseudo labels as a stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_plugin.datasets.label_manifest import MANIFEST_FILE
from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.engine.fingerprints import folder_fingerprint, values_fingerprint
from wsss_plugin.engine.label_export.label_folder import SETTINGS_FILE
from wsss_plugin.engine.stages.predict_stage import PredictStage
from wsss_plugin.engine.stages.stage import StagePlace, input_path
from wsss_plugin.engine.stages.tool_call import ToolCall
from wsss_plugin.errors import listed


class ExportStage(PredictStage):
    """``dict(export='name of a training')``: ``tools/export_labels.py``, which goes on.

    Without ``options=dict(scores=...)`` it makes label maps, otherwise files of scores.
    """

    KIND = 'export'
    MAKES = 'labels'

    def __init__(self, name: str, given: Mapping[str, Any], place: StagePlace) -> None:
        super().__init__(name, given, place)
        self._suffix = '.png'
        if self.values('options').get('scores'):
            self.makes, self._suffix = 'scores of CAMs', '.npz'

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
        # The export writes it last.
        if not (self.folder / MANIFEST_FILE).is_file():
            return f'{self.folder / MANIFEST_FILE} does not exist'
        files = [f'{name}{self._suffix}' for name in self._manifest()['images']]
        missing = [file for file in files if not (self.folder / file).is_file()]
        return f'{len(missing)} files are missing: {listed(missing, 3)}' if missing else ''

    def output_fingerprint(self) -> str:
        """Fingerprint of the output."""
        manifest = self._manifest()
        meaning = [manifest[key] for key in ('kind', 'classes', 'images', 'ignore')]
        # Both say of which version and of which settings the labels are.
        files = folder_fingerprint(self.folder, without=(MANIFEST_FILE, SETTINGS_FILE))
        return values_fingerprint([*meaning, files])

    def progress(self) -> str:
        """How far it has come, in words."""
        return f'{sum(1 for _ in self.folder.rglob(f"*{self._suffix}"))} files'

    def _manifest(self) -> Any:
        return read_json(self.folder / MANIFEST_FILE)
