from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

from wsss_plugin.datasets import ImageTagDataset
from wsss_plugin.engine.hooks import TagFrequencyHook
from wsss_plugin.errors import ConfigError
from wsss_plugin.models.losses import MultiLabelSoftMarginLoss
from wsss_plugin.ops import frequency_weights


@pytest.fixture
def dataset(tmp_path):
    """Four images of cats, of which one has a dog too, and one of neither."""
    tags = ['cat', 'cat', 'cat;dog', 'cat', '']
    (tmp_path / 'images').mkdir()
    for index in range(len(tags)):
        Image.new('RGB', (4, 3)).save(tmp_path / 'images' / f'{index}.png')
    lines = [f'{index}.png,{tag}' for index, tag in enumerate(tags)]
    (tmp_path / 'tags.csv').write_text('\n'.join(['image,tags', *lines]))
    return lambda **kwargs: ImageTagDataset('tags.csv', data_root=str(tmp_path), **kwargs)


def runner(dataset, loss):
    loader = SimpleNamespace(dataset=dataset)
    return SimpleNamespace(model=nn.Sequential(nn.Linear(1, 1), loss), train_dataloader=loader)


def test_weights_are_those_of_the_tags(dataset):
    loss, other = MultiLabelSoftMarginLoss(class_weight='tag_frequency'), MultiLabelSoftMarginLoss()
    run = runner(dataset(), nn.ModuleList([loss, other]))
    state = torch.random.get_rng_state()
    TagFrequencyHook(power=1).before_train(run)
    torch.testing.assert_close(loss.class_weight, frequency_weights([4, 1], 1))
    assert other.class_weight is None
    # Counting draws nothing, so that a training with weights sees the same images.
    assert torch.equal(torch.random.get_rng_state(), state)


def test_through_a_wrapper_of_the_data(dataset):
    loss = MultiLabelSoftMarginLoss(class_weight='tag_frequency')
    TagFrequencyHook().before_train(runner(SimpleNamespace(dataset=dataset()), loss))
    assert loss.class_weight.tolist() == pytest.approx([2 / 3, 4 / 3])


def test_a_class_without_images(dataset):
    classes = ('background', 'bird', 'cat', 'dog')
    loss = MultiLabelSoftMarginLoss(class_weight='tag_frequency')
    with pytest.raises(ConfigError, match=r"none of \['bird'\] \(1 classes\); leave them out"):
        TagFrequencyHook().before_train(runner(dataset(metainfo=dict(classes=classes)), loss))


def test_without_a_loss_that_asks(dataset):
    with pytest.raises(ConfigError, match=r"class_weight='tag_frequency'.*received none"):
        TagFrequencyHook().before_train(runner(dataset(), MultiLabelSoftMarginLoss()))


def test_data_without_tags():
    loss = MultiLabelSoftMarginLoss(class_weight='tag_frequency')
    with pytest.raises(ConfigError, match=r'data set with tags.*received list'):
        TagFrequencyHook().before_train(runner([], loss))


@pytest.mark.parametrize('power', [-1, 2])
def test_power(power):
    with pytest.raises(ConfigError, match=rf'from 0 to 1, received {power}'):
        TagFrequencyHook(power=power)
