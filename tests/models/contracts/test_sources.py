"""Every CAM source keeps to the contract; a new one gets a class here."""

from __future__ import annotations

from contracts.registered import is_source, registered, types_under_contract
from contracts.source_contract import SourceContract
from contracts.tiny_network import WIDTH


class TestCAMHead(SourceContract):
    source = dict(type='CAMHead', in_channels=WIDTH)
    learns = {'backbone', 'cams.source'}


class TestCAMHeadOfSeveralFeatures(SourceContract):
    source = dict(type='CAMHead', in_channels=2 * WIDTH, reads=('level0', 'level1'), pooling='avg')
    learns = {'backbone', 'cams.source'}


class TestReweightedCAMHead(SourceContract):
    source = dict(type='ReweightedCAMHead', in_channels=WIDTH, base='final')
    learns = {'backbone', 'cams.final', 'cams.source'}


class TestAttentionCAMHead(SourceContract):
    source = dict(
        type='AttentionCAMHead', in_channels=WIDTH, times='class_to_patch', spread='patch_to_patch'
    )
    learns = {'backbone', 'cams.source'}
    signed = False


class TestDecoderCAM(SourceContract):
    source = dict(type='DecoderCAM')
    learns = set()
    signed = False


def test_every_source_keeps_to_it():
    assert registered(is_source) == types_under_contract(globals(), SourceContract, 'source')
