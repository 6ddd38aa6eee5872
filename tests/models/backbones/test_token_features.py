import torch

from wsss_plugin.models.backbones import TokenFeatures


def test_the_final_map_is_the_last():
    maps = [torch.full((1, 2, 3, 3), float(value)) for value in range(3)]
    features = TokenFeatures(torch.zeros(1, 2), maps[2], (maps[0], maps[1]))
    assert [found.mean().item() for found in features.maps] == [0.0, 1.0, 2.0]
    assert TokenFeatures(torch.zeros(1, 2), maps[2], ()).maps == (maps[2],)
