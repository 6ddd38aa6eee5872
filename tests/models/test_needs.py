from wsss_plugin.models.needs import Needs


def test_together_each_name_once_in_order():
    one = Needs(features=('patch', 'class'), labels=('pixel',), views=('strong',))
    other = Needs(features=('class', 'cnn'), cams=('final',), heads=('affinity',), decoder=True)
    both = one | other
    assert both.features == ('patch', 'class', 'cnn')
    assert (both.labels, both.views, both.cams) == (('pixel',), ('strong',), ('final',))
    assert both.heads == ('affinity',)
    assert both.decoder
    assert one | Needs() == Needs() | one == one
    assert not one.decoder
