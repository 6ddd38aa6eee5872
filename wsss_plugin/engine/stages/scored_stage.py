"""What stages that end in figures share."""

from __future__ import annotations

from pathlib import Path

from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.engine.fingerprints import file_fingerprint
from wsss_plugin.engine.stages.predict_stage import PredictStage
from wsss_plugin.errors import DataError


class ScoredStage(PredictStage):
    """A tool whose output is a file of figures, ``scores.json``."""

    MAKES = 'scores'

    @property
    def output(self) -> Path:
        """What other stages read."""
        return self.folder / 'scores.json'

    def lacks(self) -> str:
        """What the output lacks, in words."""
        if not self.output.is_file():
            return f'{self.output} does not exist'
        try:
            read_json(self.output)
        except DataError as error:
            return str(error)
        return ''

    def output_fingerprint(self) -> str:
        """Fingerprint of the output."""
        return file_fingerprint(self.output)
