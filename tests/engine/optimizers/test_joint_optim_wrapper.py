import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from wsss_plugin.engine.optimizers import JointOptimWrapper


def _members(**options):
    torch.manual_seed(0)
    vit, cnn = nn.Linear(2, 1), nn.Linear(2, 1)
    members = {
        'vit': OptimWrapper(torch.optim.AdamW(vit.parameters(), lr=1e-2), **options),
        'cnn': OptimWrapper(torch.optim.SGD(cnn.parameters(), lr=1e-2, momentum=0.9)),
    }
    return vit, cnn, members


def _loss(vit, cnn, scale=1.0):
    x = torch.tensor([[1.0, -2.0]])
    return scale * (vit(x) * cnn(x)).sum()


def test_equals_two_optimisers_stepped_by_hand():
    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(**members)
    other_vit, other_cnn, others = _members()
    for _ in range(3):
        wrapper.update_params(_loss(vit, cnn))
        _loss(other_vit, other_cnn).backward()
        for other in others.values():
            other.optimizer.step()
            other.optimizer.zero_grad()
    assert torch.equal(vit.weight, other_vit.weight)
    assert torch.equal(cnn.weight, other_cnn.weight)
    assert vit.weight.grad is None


def test_clips_the_norm_of_all_members():
    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(clip_grad={'max_norm': 0.1}, **members)
    seen = {}
    members['cnn'].optimizer.register_step_pre_hook(
        lambda *_: seen.update(
            norm=torch.cat([p.grad.flatten() for m in (vit, cnn) for p in m.parameters()]).norm()
        )
    )
    wrapper.update_params(_loss(vit, cnn, scale=100))
    torch.testing.assert_close(seen['norm'], torch.tensor(0.1), rtol=1e-4, atol=0)


def test_holds_back_gradient_exchange_while_accumulating():
    class Model(nn.Module):
        calls = 0

        def no_sync(self):
            import contextlib

            Model.calls += 1
            return contextlib.nullcontext()

    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(accumulative_counts=3, **members)
    wrapper.initialize_count_status(vit, 0, 7)
    for _ in range(7):
        with wrapper.optim_context(Model()):
            loss = _loss(vit, cnn)
        wrapper.update_params(loss)
    assert Model.calls == 4  # all but iterations 3, 6 and the last
    assert vit.weight.grad is None


def test_bfloat16_casts_the_forward_pass_only():
    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(dtype='bfloat16', **members)
    with wrapper.optim_context(vit):
        output = vit(torch.ones(1, 2))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(_loss(vit, cnn))
    assert vit.weight.dtype == torch.float32
    assert not wrapper.loss_scaler.is_enabled()


def test_scaled_gradients_step_as_unscaled_ones():
    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(dtype='float16', loss_scale=1024.0, **members)
    other_vit, other_cnn, others = _members()
    other = JointOptimWrapper(**others)
    wrapper.update_params(_loss(vit, cnn))
    other.update_params(_loss(other_vit, other_cnn))
    torch.testing.assert_close(vit.weight, other_vit.weight)
    torch.testing.assert_close(cnn.weight, other_cnn.weight)
    assert wrapper.loss_scaler.get_scale() == 1024.0


def test_overflow_in_one_branch_skips_every_step_once():
    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(dtype='float16', loss_scale={'init_scale': 8.0}, **members)
    before = [p.clone() for m in (vit, cnn) for p in m.parameters()]
    wrapper.backward(_loss(vit, cnn))
    cnn.weight.grad.fill_(float('inf'))
    wrapper.step()
    after = [p for m in (vit, cnn) for p in m.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert wrapper.loss_scaler.get_scale() == 4.0


def test_state_is_restored_with_the_scaler():
    vit, cnn, members = _members()
    wrapper = JointOptimWrapper(dtype='float16', loss_scale={'init_scale': 8.0}, **members)
    wrapper.update_params(_loss(vit, cnn))
    wrapper.loss_scaler.update(16.0)
    state = wrapper.state_dict()
    assert set(state) == {'vit', 'cnn', 'loss_scaler'}
    _, _, fresh = _members()
    other = JointOptimWrapper(dtype='float16', **fresh)
    other.load_state_dict(state)
    assert other.loss_scaler.get_scale() == 16.0
    assert int(next(iter(other['vit'].optimizer.state.values()))['step']) == 1
    # Groups are new objects after loading; the joint view must show those.
    assert other.optimizer.param_groups[0] is other['vit'].optimizer.param_groups[0]
    assert set(state) == {'vit', 'cnn', 'loss_scaler'}


def test_learning_rates_carry_the_names_of_the_members():
    wrapper = JointOptimWrapper(**_members()[2])
    assert wrapper.get_lr() == {'vit.lr': [0.01], 'cnn.lr': [0.01]}
    assert wrapper.get_momentum() == {'vit.momentum': [0.9], 'cnn.momentum': [0.9]}


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'accumulative_counts': 0}, ValueError, 'accumulative_counts'),
        ({'clip_grad': {}}, ValueError, 'clip_grad'),
        ({'dtype': 'float32'}, ValueError, r'optim_wrapper\.dtype'),
        ({'loss_scale': 'static'}, TypeError, 'loss_scale'),
        ({'cnn': 3}, TypeError, 'cnn'),
    ],
)
def test_refuses_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        JointOptimWrapper(**{**_members()[2], **options})


def test_refuses_members_that_accumulate_and_no_members():
    with pytest.raises(ValueError, match="'vit' neither to accumulate"):
        JointOptimWrapper(**_members(accumulative_counts=2)[2])
    with pytest.raises(ValueError, match='at least one optimiser'):
        JointOptimWrapper()


def test_refuses_the_state_of_other_optimisers():
    wrapper = JointOptimWrapper(**_members()[2])
    with pytest.raises(KeyError, match='optimizers it was trained with'):
        wrapper.load_state_dict({'vit': wrapper.state_dict()['vit']})


def _named_member(order):
    """One optimiser with momentum over parameters in a given order."""
    parameters = {name: nn.Parameter(torch.zeros(2)) for name in order}
    optimizer = torch.optim.SGD(list(parameters.items()), lr=0.1, momentum=0.9)
    return parameters, JointOptimWrapper(vit=OptimWrapper(optimizer))


def test_state_goes_by_the_names_of_the_parameters():
    """Equal shapes: by position the moments would change places, and nothing would say so."""
    parameters, wrapper = _named_member('ab')
    wrapper.update_params((parameters['a'] - 3 * parameters['b']).sum())
    fresh, other = _named_member('ba')
    other.load_state_dict(wrapper.state_dict())
    state = other['vit'].optimizer.state
    assert torch.equal(state[fresh['a']]['momentum_buffer'], torch.ones(2))
    assert torch.equal(state[fresh['b']]['momentum_buffer'], torch.full((2,), -3.0))
    assert other.state_dict()['vit']['param_groups'][0]['param_names'] == ['a', 'b']


def test_nothing_is_restored_where_one_member_does_not_fit():
    members = {name: _named_member(name)[1]['vit'] for name in 'ab'}
    wrapper = JointOptimWrapper(**members)
    state = wrapper.state_dict()
    state['a']['param_groups'][0]['lr'] = 7.0
    state['b']['param_groups'][0].pop('param_names')
    with pytest.raises(ValueError, match=r"'b'.*version 0\.1"):
        wrapper.load_state_dict(state)
    assert wrapper.get_lr() == {'a.lr': [0.1], 'b.lr': [0.1]}


def test_refuses_the_state_of_a_plain_wrapper():
    wrapper = JointOptimWrapper(**_members()[2])
    with pytest.raises(KeyError, match='param_groups'):
        wrapper.load_state_dict(wrapper['vit'].state_dict())
