# What DuPL adds on the generated shapes, for students of any kind. The weights are those of the
# shapes' segmentation; the consistency has the share of it that DuPL's code has.
labels_from = 600  # iterations of classification before CAMs are worth learning from
late_from = 900  # labels have to be good before noise is told from the rest
noise_filter = dict(type='GMMNoiseFilter', start=late_from)
between = dict(
    apart=dict(type='DiscrepancyTerm', reads='patch', weight=0.1),
    cross=dict(
        type='CrossSegmentationTerm',
        labels='pixel',
        loss=dict(type='BalancedCrossEntropyLoss', foreground_weight=0.2),
        weight=2.0,
        start=labels_from,
    ),
    ignored=dict(
        type='IgnoredConsistencyTerm', labels='pixel', view='strong', weight=0.5, start=late_from
    ),
)
strong_view = dict(
    of='view1',
    scale=0.75,
    flip=True,
    # No operation that mixes up the colours by which some of the shapes differ.
    photometric=dict(
        type='RandomPhotometricOperations',
        num=2,
        operations=('colour', 'contrast', 'brightness', 'sharpness'),
    ),
)
students = ('first', 'second')
