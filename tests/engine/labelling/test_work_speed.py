import pytest
import torch

from wsss_plugin.engine.labelling import (
    PretrainedFiles,
    TaggedFolder,
    choose_preset,
    config_text,
    measure_speed,
    work_speed,
)
from wsss_plugin.engine.run_config import load_config


def test_seconds_of_iterations_and_masks(folder, monkeypatch):
    data = TaggedFolder(folder / 'pictures', folder / 'words' / 'tags.json')
    preset = choose_preset('scratch', None, data.side())
    (folder / 'config.py').write_text(config_text(data, preset, PretrainedFiles(), 8, 10, None))
    # Early and late iteration, forward pass, CRF.
    seconds, threads = iter([1.0, 2.0, 0.1, 0.5]), []

    def timed(work, repeats):
        assert repeats in (1, 3)
        threads.append(torch.get_num_threads())
        work()
        return next(seconds)

    monkeypatch.setattr(work_speed, '_seconds', timed)
    before = torch.get_num_threads()
    speed = measure_speed(load_config(str(folder / 'config.py')), threads=1, repeats=3)
    # The segmentation begins after 4 of 10 iterations.
    assert speed.iteration == pytest.approx(0.4 * 1.0 + 0.6 * 2.0)
    assert speed.mask == pytest.approx(0.1 * 2 * (1 + 1.25**2 + 1.5**2) + 0.5)
    assert (threads, torch.get_num_threads()) == ([1, 1, 1, 1], before)
