"""What a stage that trains on folders of labels is recognised by."""

from __future__ import annotations

from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.engine.fingerprints import settings_fingerprint


def _fingerprint(label_dir):
    return settings_fingerprint(dict(dataset=dict(label_dir=label_dir)), ['dataset'])


def _write(folder, images=('a',)):
    LabelManifest.write(folder, dict(classes=['background'], images=list(images), ignore=255))
    return str(folder)


def test_a_folder_counts_by_its_manifest(tmp_path):
    one, other = _write(tmp_path / 'one'), _write(tmp_path / 'other')
    for form in (lambda x: x, lambda x: [x, 'b'], lambda x: [dict(folder=x, weight=2.0), 'b']):
        before = _fingerprint(form(one))
        assert _fingerprint(form(other)) == before
        _write(tmp_path / 'one', ('a', 'b'))
        assert _fingerprint(form(one)) != before
        _write(tmp_path / 'one')


def test_weights_and_order_count(tmp_path):
    one, other = _write(tmp_path / 'one'), _write(tmp_path / 'other', 'b')
    forms = [
        one,
        [one, other],
        [other, one],
        [dict(folder=one, weight=2.0), other],
        [dict(folder=one, weight=3.0), other],
    ]
    assert len({_fingerprint(form) for form in forms}) == len(forms)


def test_folders_that_are_not_there_count_by_their_names():
    assert _fingerprint('here/labels') == _fingerprint('/there/labels')
    assert _fingerprint(['here/labels']) != _fingerprint(['here/masks'])
