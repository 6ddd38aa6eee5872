"""A CAM that is spread by the attention of all blocks, which is summed while they run."""

import torch
from mmseg.registry import MODELS
from reference_networks import build, random_batch, small_config, train_two_steps

from wsss_plugin.models.cams import CAMHead


def add_heads_mean(total, index, weights):
    """Mean over the heads, summed over the blocks, without gradient."""
    del index
    mean = weights.detach().mean(dim=1)
    return mean if total is None else total + mean


@MODELS.register_module(force=True)
class ToyAttentionCAM(CAMHead):
    """``M_ki <- sum_j A_ij M_kj`` with the attention A between patches of all blocks."""

    reduce = {'attention': add_heads_mean}  # noqa: RUF012
    logit_reads = ('patch',)

    def __init__(self, **kwargs):
        super().__init__(reads=('patch', 'attention'), **kwargs)

    def logits(self, features):
        return self(features['patch'])

    def raw(self, features, tags=None, context=None):
        del tags, context
        cam = self.cam(features['patch']).relu()
        patches = cam[0, 0].numel()
        attention = features['attention'][:, -patches:, -patches:]
        spread = torch.einsum('bij,bkj->bki', attention, cam.flatten(2))
        return spread.unflatten(2, cam.shape[-2:])


def config():
    cams = dict(final=dict(type='ToyAttentionCAM', in_channels=24), aux=None)
    labels = dict(token=dict(cams=('final',)), region=None)
    return small_config(terms=dict(ctc=None)) | dict(
        cams=cams,
        labels=dict(
            pixel=dict(type='PixelLabels', cams=('final',)),
            token=dict(type='TokenLabels', **labels['token']),
        ),
    )


def test_trains_and_spreads_by_the_attention_of_all_blocks():
    segmentor = build(config())
    inputs, samples = random_batch()
    history = train_two_steps(segmentor, dict(view1=inputs['view1']), samples)
    assert {'loss_cls', 'loss_ptc', 'loss_seg'} <= set(history[1])
    segmentor.eval()
    seen = []
    for block in segmentor.backbone.trunk.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _m, _i, output: seen.append(output))
    forward = segmentor.batch(inputs['view1'], samples).main
    received = forward.raw('final')
    assert len(seen) == 12
    attention = torch.stack(seen).mean(dim=2).sum(dim=0)[:, 1:, 1:]
    (patch,) = forward.features(['patch']).values()
    cam = segmentor.cams['final'].cam(patch).relu().flatten(2)
    torch.testing.assert_close(received.flatten(2), cam @ attention.transpose(1, 2))
    # Neither logits nor the segmentation write attention out.
    segmentor.backbone._run_with_attention = None
    segmentor.batch(inputs['view1'], samples).main.logits('final')
    segmentor.predict(inputs['view1'], None)
