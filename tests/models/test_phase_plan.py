from __future__ import annotations

import pytest
from reference_networks import build, cam_config, dual_config, small_config, tiny_config

from wsss_plugin.models.cams import CAMHead
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.phase_plan import (
    active_terms,
    features_of,
    needs_at,
    needs_of,
    phase_starts,
    with_bases,
)

CAM = dict(type='CAMHead', reads='out.-1', in_channels=64, num_classes=5, pooling='avg')
SECOND = dict(type='ReweightedCAMHead', reads='out.-1', in_channels=64, num_classes=5)
DECODER = dict(type='DecoderCAM')


def label_steps(*steps, start=0):
    """ToCo whose pixel labels are of other CAMs from some iterations on."""
    return small_config(
        cams=dict(decoder=DECODER),
        labels=dict(pixel=dict(cams=steps)),
        terms=dict(seg=dict(start=start)),
    )


def test_needs_of_an_iteration_go_down_to_the_features():
    segmentor = build(dual_config(terms=dict(seg=dict(start=5))))
    needs = needs_at(segmentor, 0, None)
    assert set(needs.features) == {'patch', 'inner.9', 'cnn', 'class'}
    assert set(needs.raw) == set(needs.logits) == {'aux', 'cnn', 'final'}
    assert needs.cams == ('aux',)
    assert set(needs.labels) == {'region', 'token'}
    assert set(needs.views) == {'view2', 'local'}
    assert not needs.decoder
    later = needs_at(segmentor, 5, None)
    assert later.decoder
    assert set(later.cams) == {'aux', 'final'}


def test_only_the_features_that_a_phase_reads():
    segmentor = build(small_config(terms=dict(ctc=dict(start=9), ptc=dict(start=9))))
    assert set(needs_at(segmentor, 0, None).features) == {'patch', 'inner.9'}
    assert 'class' in needs_at(segmentor, 9, None).features


def test_the_cam_of_the_decoder_needs_what_the_decoder_reads():
    segmentor = build(label_steps((0, ('final',)), (5, ('final', 'decoder'))))
    assert features_of(segmentor, ['decoder']) == ('patch',)
    own = Needs(labels=('pixel',))
    assert not needs_of(segmentor, own, 4, None).decoder
    assert needs_of(segmentor, own, 5, None).decoder
    assert needs_of(segmentor, own, None, None).decoder


def test_a_source_needs_its_base():
    cams = dict(base=CAM, final=dict(SECOND, base='base'))
    terms = dict(cls=dict(cams=('base',)), recam=dict(type='ReCAMTerm'))
    segmentor = build(cam_config(terms=terms) | dict(cams=cams))
    assert with_bases(segmentor, ['final']) == ('final', 'base')
    assert features_of(segmentor, ['final']) == ('out.-1',)


def test_phases_begin_where_a_term_begins_or_a_label_changes():
    config = label_steps((0, ('final',)), (0.5, ('final', 'decoder')), start=3)
    segmentor = build(config)
    assert phase_starts(segmentor, 20) == segmentor.phases(20) == (0, 3, 10)
    assert list(active_terms(segmentor, 2, 20)) == ['cls', 'ctc', 'ptc']
    assert list(active_terms(segmentor, 3, 20)) == ['cls', 'ctc', 'ptc', 'seg']


def refuse(config, message):
    with pytest.raises(ValueError, match=message):
        build(config)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            dict(labels=dict(pixel=dict(cams=('cnn',)))),
            r"model\.labels\.pixel to name parts of model\.cams.*\['aux', 'final'\].*'cnn'",
        ),
        (
            dict(terms=dict(seg=dict(labels='pixels'))),
            r"model\.terms\.seg to name parts of model\.labels.*'token'\], received 'pixels'",
        ),
        (
            dict(terms=dict(cls=dict(cams=('third',)))),
            r"model\.terms\.cls to name parts of model\.cams.*received 'third'",
        ),
        (
            dict(cams=dict(aux=dict(reads='inner.12'))),
            r'model\.cams\.aux: expected inner_blocks between -12 and 11.*received 12',
        ),
        (
            dict(cams=dict(aux=dict(reads=('patch', 'cnn')))),
            r"model\.cams\.aux: expected a feature.*'patch', 'class'.*received 'cnn'",
        ),
        (
            dict(decode_reads='layer4'),
            r"model\.terms\.seg: expected a feature.*received 'layer4'",
        ),
        (
            dict(labels=dict(token=dict(reads='grid'))),
            r"model\.labels\.token: expected a feature.*received 'grid'",
        ),
        (
            dict(terms=dict(ctc=dict(reads='class_token'))),
            r"model\.terms\.ctc: expected a feature.*received 'class_token'",
        ),
    ],
)
def test_unknown_names_are_refused(changes, message):
    refuse(small_config(**changes), message)


def test_names_of_later_phases_are_checked_too():
    refuse(label_steps((0, ('final',)), (0.9, ('final', 'cnn'))), r"labels\.pixel.*'cnn'")


def test_a_source_that_nobody_reads_is_refused():
    cams = dict(third=dict(type='CAMHead', in_channels=24))
    terms = dict(cls=dict(cams=('final', 'aux')))
    refuse(
        small_config(cams=cams, terms=terms),
        r"every CAM source.*received \['third'\], which nobody reads; .*None",
    )
    build(small_config(cams=cams, terms=dict(cls=dict(cams=('final', 'aux', 'third')))))
    build(small_config(cams=cams, terms=terms, test_cfg=dict(class_prior='third')))
    build(small_config(cams=cams, terms=terms, labels=dict(pixel=dict(cams=('third',)))))


def test_a_base_counts_as_read():
    cams = dict(base=CAM, final=dict(SECOND, base='base'))
    terms = dict(cls=dict(cams=('base',)))
    assert set(build(cam_config(terms=terms) | dict(cams=cams)).cams) == {'base', 'final'}


def test_sources_that_build_on_themselves_are_refused():
    cams = dict(base=dict(SECOND, base='second'), second=dict(SECOND, base='base'), final=CAM)
    refuse(cam_config(cams=cams), r'base -> second -> base.*key base in model\.cams')


def test_an_unknown_base_is_refused():
    cams = dict(final=CAM, second=dict(SECOND, base='first'))
    refuse(cam_config(cams=cams), r"model\.cams\.second\.base among \['final', 'second'\].*'first'")


def test_classes_of_every_source_are_checked():
    refuse(
        dual_config(cams=dict(cnn=dict(num_classes=4))),
        r'one more.*received 6 and 4 of model\.cams\.cnn; set both',
    )
    refuse(small_config(cams=dict(final=dict(num_classes=6))), r'6 and 6 of model\.cams\.final')


@pytest.mark.parametrize('steps', [(('final', 'decoder'),), (('final',), ('decoder',))])
def test_the_decode_head_does_not_teach_itself_from_nothing(steps):
    pairs = [(10 * index, names) for index, names in enumerate(steps)]
    refuse(
        label_steps(*pairs, start=9),
        r"\['decoder'\] in model\.labels\.pixel\.cams beside a CAM.*terms\.seg.*\(9\)",
    )


def test_the_decode_head_labels_after_it_has_begun_to_learn():
    early = label_steps((0, ('final',)), (9, ('final', 'decoder')), start=9)
    refuse(early, r'from an iteration after the start of model\.terms\.seg.*add a CAM or a later')
    build(label_steps((0, ('final',)), (10, ('final', 'decoder')), start=9))
    build(label_steps((0, ('final',)), (0.6, ('final', 'decoder')), start=0.5))


def test_something_is_learnt_from_the_first_iteration_on():
    terms = {name: dict(start=1) for name in ('cls', 'ptc', 'ctc', 'seg')}
    refuse(small_config(terms=terms), r"term from iteration 0 on.*'cls': 1.*leave out start")


def test_a_term_that_teaches_nothing_outside_itself_is_refused():
    frozen = dict(frozen_stages=12)
    config = small_config(backbone=frozen)
    refuse(config, r'model\.terms\.ctc to teach a part.*frozen.*None or unfreeze')
    refuse(small_config(backbone=frozen, terms=dict(ctc=None)), r'model\.terms\.ptc to teach')
    build(small_config(backbone=frozen, terms=dict(ctc=None, ptc=None)))


def test_a_term_on_the_detached_cam_of_the_decode_head_teaches_nothing():
    pairs = dict(
        type='ConsistencyTerm',
        pairs=(('decoder', 'decoder2'),),
        loss=dict(type='SemanticConsistencyLoss'),
    )
    cams = dict(decoder=DECODER, decoder2=DECODER)
    refuse(small_config(cams=cams, terms=dict(same=pairs)), r'model\.terms\.same to teach')
    pairs['pairs'] = (('final', 'decoder'), ('aux', 'decoder2'))
    build(small_config(cams=cams, terms=dict(same=pairs)))


def test_parts_that_need_a_decode_head_are_refused_without():
    seg = dict(type='SegmentationTerm', labels='pixel')
    pixel = dict(type='PixelLabels', cams=('final',))
    refuse(
        cam_config(labels=dict(pixel=pixel), terms=dict(seg=seg)),
        r'a decode head for model\.terms\.seg.*decode_head=None.*None',
    )
    cams = dict(decoder=dict(DECODER, num_classes=5))
    refuse(cam_config(cams=cams), r'a decode head for model\.cams\.decoder.*decode_head=None')


@pytest.mark.parametrize('name', ['resnet', 'decoder'])
def test_a_class_prior_needs_a_source_that_classifies(name):
    config = label_steps((0, ('final',)), (5, ('final', 'decoder')))
    config['test_cfg']['class_prior'] = name
    refuse(config, rf"test_cfg\.class_prior.*\('aux', 'final'\).*received '{name}'")


def test_modules_that_a_term_trains_are_checked():
    config = small_config(terms=dict(seg=dict(trains=('decoder_head',))))
    refuse(config, r"model\.terms\.seg\.trains.*'decode_head'.*received \['decoder_head'\]")


@pytest.mark.parametrize('where', ['model.thresholds', 'model.labels.pixel.thresholds'])
def test_as_many_high_thresholds_as_classes(where):
    thresholds = dict(low=0.2, high=(0.5, 0.6))
    own = 'labels' in where
    changes = dict(labels=dict(pixel=dict(thresholds=thresholds))) if own else {}
    changes |= {} if own else dict(thresholds=thresholds)
    refuse(tiny_config(**changes), rf'each of the 5 classes in {where}\.high, received 2')


def test_one_reduction_of_a_feature(monkeypatch):
    def reduction(source):
        return {'attention': lambda *_: source.pooling}

    changes = dict(cams=dict(aux=dict(pooling='avg')))
    monkeypatch.setattr(CAMHead, 'reduce', property(reduction), raising=False)
    refuse(
        small_config(**changes),
        r"reduction of the feature 'attention'.*model\.cams\.aux and model\.cams\.final",
    )
    one = {'attention': max}
    monkeypatch.setattr(CAMHead, 'reduce', one)
    build(small_config(**changes))
