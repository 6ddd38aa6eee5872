import logging
from types import SimpleNamespace

import pytest

from wsss_plugin.engine.hooks import SplitOverlapHook


class _Images:
    def __init__(self, *names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def get_data_info(self, index):
        return {'img_path': self.names[index]}


def _runner(trained, scored):
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=trained))
    other = scored and SimpleNamespace(dataloader=SimpleNamespace(dataset=scored))
    return SimpleNamespace(train_loop=loop, val_loop=other)


def test_images_that_are_trained_on_and_scored(caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = _runner(_Images('a/1.png', 'a/2.png'), _Images(str(tmp_path / 'a/2.png'), 'a/3.png'))
    with pytest.raises(ValueError, match=r'received 1 of its 2, among them 2\.png.*val_list'):
        SplitOverlapHook(refuse=True).before_train(runner)
    logger = logging.getLogger('overlap')
    monkeypatch.setattr(
        'wsss_plugin.engine.hooks.split_overlap_hook.print_log',
        lambda text, level, **_: logger.log(level, text),
    )
    SplitOverlapHook().before_train(runner)
    assert 'scores on them say nothing of new images' in caplog.text


@pytest.mark.parametrize('scored', [None, _Images('b/1.png'), [1, 2]])
def test_splits_that_share_nothing(scored):
    SplitOverlapHook(refuse=True).before_train(_runner(_Images('a/1.png'), scored))
