"""A stage that writes a text in a process that begins at once."""

from __future__ import annotations

from mmengine.config import Config

from wsss_plugin.engine.fingerprints import file_fingerprint
from wsss_plugin.engine.stages import Stage
from wsss_plugin.engine.stages.stage import input_path
from wsss_plugin.engine.stages.tool_call import ToolCall

TOOL = """
import pathlib, sys
out, text, *inputs = sys.argv[1:]
folder = pathlib.Path(out).parent
folder.mkdir(exist_ok=True)
if text == 'fail':
    raise SystemExit(3)
begun = folder / 'begun.txt'
if text == 'twice' and not begun.exists():
    begun.touch()
    raise SystemExit(4)
if text != 'nothing':
    pathlib.Path(out).write_text(text + ''.join(pathlib.Path(one).read_text() for one in inputs))
"""


class ToyStage(Stage):
    KIND = 'toy'
    MAKES = 'text'
    KEYS = ()
    READS = ('words',)

    def config(self, placed=True):
        del placed
        return Config(dict(words=self.given['toy']))

    @property
    def output(self):
        return self.folder / 'out.txt'

    def call(self, config):
        del config
        inputs = [input_path(one) for one in self.inputs.values()]
        return ToolCall('toy.py', [str(self.output), self.given['toy'], *inputs])

    def lacks(self):
        return '' if self.output.is_file() else 'the text'

    def output_fingerprint(self):
        return file_fingerprint(self.output)

    @property
    def run(self):
        return 'a run'

    def progress(self):
        return 'half'
