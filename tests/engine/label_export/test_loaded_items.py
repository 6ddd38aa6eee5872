import os

import pytest
import torch

from wsss_plugin.engine.label_export.loaded_items import LoadedItems
from wsss_plugin.errors import DataError


class _Images:
    def item(self, name):
        if name == 'c/3':
            raise KeyError('scale')
        if name == 'd/4':
            raise DataError('some.jpg: expected an image, received another')
        if name == 'e/5':
            raise ValueError('5.jpg is empty')
        return {'inputs': torch.tensor(ord(name[0])), 'name': name, 'process': os.getpid()}


def test_the_order_is_that_of_the_names():
    names = [f'{letter}/{number}' for number in range(3) for letter in 'za']
    alone = list(LoadedItems(_Images(), names))
    several = list(LoadedItems(_Images(), names, workers=2))
    assert [item['name'] for item in several] == [item['name'] for item in alone] == names
    assert [int(item['inputs']) for item in several] == [ord('z'), ord('a')] * 3
    assert {item['process'] for item in alone} == {os.getpid()}
    processes = {item['process'] for item in several}
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize(
    ('name', 'kind', 'message'),
    [
        ('c/3', RuntimeError, "loading c/3 failed: KeyError: 'scale'"),
        ('d/4', DataError, 'some.jpg: expected an image, received another'),
        ('e/5', ValueError, '5.jpg is empty'),
    ],
)
def test_an_error_names_the_image(workers, name, kind, message):
    items = iter(LoadedItems(_Images(), ['a/1', name, 'a/2'], workers))
    assert next(items)['name'] == 'a/1'
    with pytest.raises(kind, match=message):
        next(items)
