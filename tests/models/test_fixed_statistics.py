"""Passes without a trace in the running statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from wsss_plugin.models.fixed_statistics import fixed_statistics


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3).eval())
    network[2].running_mean.fill_(0.5)
    return network.double()


IMAGE = torch.arange(48, dtype=torch.float64).view(2, 2, 3, 4).sin()


def test_output_and_gradient_are_those_of_training(network):
    plain = copy.deepcopy(network)
    with fixed_statistics(network):
        output = network(IMAGE)
    expected = plain(IMAGE)
    torch.testing.assert_close(output, expected)
    output.square().sum().backward()
    expected.square().sum().backward()
    for parameter, other in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, other.grad)


def test_statistics_stay_and_are_kept_up_again_afterwards(network):
    before = copy.deepcopy(dict(network.named_buffers()))
    with fixed_statistics(network):
        network(IMAGE)
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())
    network(IMAGE)
    assert network[1].num_batches_tracked == 1
    assert not torch.equal(network[1].running_mean, before['1.running_mean'])
    # A norm in evaluation mode uses its statistics, inside as outside.
    assert torch.equal(network[2].running_mean, before['2.running_mean'])


def test_an_error_inside_leaves_the_network_as_it_was(network):
    with pytest.raises(RuntimeError), fixed_statistics(network):
        network(IMAGE[:, :1])
    assert all(norm.track_running_stats for norm in network[1:])


def test_a_norm_that_tracks_nothing_stays_so():
    norm = nn.BatchNorm2d(2, track_running_stats=False)
    with fixed_statistics(norm):
        norm(IMAGE.float())
    assert not norm.track_running_stats
