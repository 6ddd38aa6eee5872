"""A frozen network whose source runs the last block itself, with gradients on, for its CAM."""

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from reference_networks import CLASSES, build, random_batch, small_config, train_two_steps


@MODELS.register_module(force=True)
class ToyGradientCAM(BaseModule):
    """``M_k = relu(sum_c mean_i(d s_k / d T_ic) T_c)`` of the tokens T before the last block.

    The score s_k is the product of the class token with the k-th of fixed vectors, as a text
    encoder would give them.
    """

    reads = ('tokens.-2', 'inner.-2')
    base, classifies, reads_decoder, multi_scale = None, False, False, {}

    def __init__(self, num_classes, channels):
        super().__init__()
        self.num_classes = num_classes
        self.register_buffer('vectors', torch.randn(num_classes, channels))

    def scores(self, backbone, tokens):
        last = len(backbone.trunk.blocks) - 1
        return backbone.trunk.norm(backbone.run_block(last, tokens))[:, 0] @ self.vectors.T

    def raw(self, features, tags, context):
        del tags
        patches = features['inner.-2']
        with torch.enable_grad():
            tokens = features['tokens.-2'].detach().requires_grad_()
            scores = self.scores(context.backbone, tokens).sum(dim=0)
            gradients = [torch.autograd.grad(s, tokens, retain_graph=True)[0] for s in scores]
        first = tokens.shape[1] - patches[0, 0].numel()
        weight = torch.stack(gradients, dim=1)[:, :, first:].mean(dim=2)
        return torch.einsum('bkc,bchw->bkhw', weight, patches).relu()

    def logits(self, features):
        del features


def config():
    base = small_config(
        backbone=dict(frozen_stages=12),
        labels=dict(token=None, region=None),
        terms=dict(cls=None, ptc=None, ctc=None),
    )
    return base | dict(cams=dict(final=dict(type='ToyGradientCAM', channels=24)))


def test_trains_the_decode_head_on_the_gradient_of_the_score():
    segmentor = build(config())
    trunk = {name: p.clone() for name, p in segmentor.backbone.named_parameters()}
    inputs, samples = random_batch()
    history = train_two_steps(segmentor, dict(view1=inputs['view1']), samples)
    assert 'loss_seg' in history[1]
    assert all(torch.equal(p, trunk[name]) for name, p in segmentor.backbone.named_parameters())
    segmentor.eval()
    backbone, source = segmentor.backbone.double(), segmentor.cams['final'].double()
    forward = segmentor.batch(inputs['view1'].double(), samples).main
    tokens, patches = forward.features(source.reads).values()
    # The mean derivative along a channel is the change of the score if all its patches move.
    step = torch.zeros(17, 24, dtype=torch.float64)
    step[1:, 3] = 1e-5 / 16
    with torch.no_grad():
        change = source.scores(backbone, tokens + step) - source.scores(backbone, tokens - step)
        received = source.raw(
            dict(zip(source.reads, (tokens, 0 * patches), strict=True)), None, forward
        )
        one = torch.zeros_like(patches)
        one[:, 3] = 1
        of_channel = source.raw(dict(zip(source.reads, (tokens, one), strict=True)), None, forward)
    assert not received.any()
    expected = (change / 2e-5).relu()[..., None, None].expand(2, CLASSES, 4, 4)
    torch.testing.assert_close(of_channel, expected, atol=1e-7, rtol=1e-5)
