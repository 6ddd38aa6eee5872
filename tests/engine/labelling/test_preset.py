import pytest
import torch

from wsss_plugin.engine.labelling import PRESETS, choose_preset, number_of_processes, preset
from wsss_plugin.errors import ConfigError


@pytest.mark.parametrize(
    ('name', 'weights', 'gpu', 'expected'),
    [
        (None, None, False, 'scratch'),
        (None, None, True, 'base'),
        (None, 'small', True, 'small'),
        ('small', None, False, 'small'),
        ('base', 'base', False, 'base'),
    ],
)
def test_chosen_by_name_weights_and_hardware(monkeypatch, name, weights, gpu, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    assert choose_preset(name, weights, 320).backbone == expected


@pytest.mark.parametrize(('side', 'size'), [(20, 64), (96, 96), (101, 104), (500, 128)])
def test_small_networks_take_small_images(side, size):
    assert choose_preset('scratch', None, side).image_size == size


def test_refuses_an_unknown_name_and_other_weights():
    with pytest.raises(ConfigError, match=r'expected one of scratch, small, base, received .huge'):
        choose_preset('huge', None, 96)
    with pytest.raises(ConfigError, match=r'expected .small. for these weights, received .base'):
        choose_preset('base', 'small', 96)


@pytest.mark.parametrize(
    ('seconds', 'length'), [(0, 150), (-5, 150), (600, 1200), (750, 1500), (10**6, 2000)]
)
def test_length_fits_the_time_within_limits(seconds, length):
    assert PRESETS['scratch'].length(seconds, 0.5) == length


@pytest.mark.parametrize(
    ('gpus', 'cores', 'batch', 'expected'),
    [(0, 1, 8, 1), (0, 2, 8, 2), (0, 64, 4, 2), (1, 64, 4, 1), (3, 64, 4, 2), (8, 64, 4, 4)],
)
def test_processes_share_a_batch(monkeypatch, gpus, cores, batch, expected):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: gpus)
    monkeypatch.setattr(preset.os, 'sched_getaffinity', lambda _: set(range(cores)))
    assert number_of_processes(batch) == expected
