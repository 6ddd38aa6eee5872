from types import SimpleNamespace

import torch
from mmseg.registry import LOOPS
from mmseg.structures import SegDataSample
from reference_networks import build, tiny_config

from wsss_plugin.engine.one_size_test_loop import OneSizeTestLoop


def _batch(sizes):
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.rand(3, *size, generator=generator) * 255 for size in sizes]
    samples = [
        SegDataSample(metainfo=dict(ori_shape=size, img_shape=size, img_path=f'{index}.jpg'))
        for index, size in enumerate(sizes)
    ]
    return {'inputs': inputs, 'data_samples': samples}


@torch.no_grad()
def test_images_of_several_sizes_in_a_batch():
    model = build(tiny_config()).eval()
    sizes = [(64, 48), (48, 64), (64, 48)]
    batch = _batch(sizes)
    expected = [
        model.test_step({key: values[place : place + 1] for key, values in _batch(sizes).items()})
        for place in range(3)
    ]
    called, processed = [], []
    loop = OneSizeTestLoop.__new__(OneSizeTestLoop)
    loop.fp16 = False
    loop._runner = SimpleNamespace(
        model=model, call_hook=lambda name, **given: called.append((name, given))
    )
    loop.evaluator = SimpleNamespace(process=lambda **given: processed.append(given))
    loop.run_iter(5, batch)
    assert [name for name, _ in called] == ['before_test_iter', 'after_test_iter']
    assert called[1][1]['batch_idx'] == 5
    assert called[1][1]['data_batch'] is processed[0]['data_batch'] is batch
    (given,) = processed
    assert called[1][1]['outputs'] is given['data_samples']
    for place, sample in enumerate(given['data_samples']):
        assert sample.img_path == f'{place}.jpg'
        logits = expected[place][0].seg_logits.data
        assert sample.seg_logits.data.shape == (6, *sizes[place])
        torch.testing.assert_close(sample.seg_logits.data, logits, rtol=1e-4, atol=1e-4)
    assert LOOPS.get('OneSizeTestLoop') is OneSizeTestLoop
