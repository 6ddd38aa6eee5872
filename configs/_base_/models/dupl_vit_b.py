# DuPL: two students as in toco_vit_b.py that teach each other. (DuPL) marks the released code's
# settings, (paper) those of the paper where they differ. Starts are shares of the training.
_base_ = './toco_vit_b.py'
filter_from = 0.4  # (DuPL) iteration 8000 of 20000 on VOC, 32000 of 80000 on COCO
student = _base_.model
data_preprocessor = student.pop('data_preprocessor')
students_test_cfg = student.pop('test_cfg')
# (DuPL) no contrast of class tokens; the labels of one student teach the other.
student.terms.update(ctc=None, seg=None)
student.labels.region = None
# (DuPL) fitted on losses above 0.1; fit_above=None for the whole foreground (paper). The released
# posterior calls the best fitted pixels noise where the clean mode is narrow: as_released=True.
student.labels.pixel.filters = dict(
    noise=dict(
        type='GMMNoiseFilter',
        start=filter_from,
        fit_above=0.1,
        fewest=1000 / 448**2,
        gap=1.0,  # eta
        certainty=0.95,  # gamma
    )
)
model = dict(
    _delete_=True,
    type='DualStudentSegmentor',
    data_preprocessor=data_preprocessor,
    students=dict(first=student, second=student),
    terms=dict(
        # (DuPL) the cosine of maps of one channel; axis='channel' for that of tokens (paper).
        apart=dict(type='DiscrepancyTerm', reads='patch', axis='position', weight=0.1),
        cross=dict(
            type='CrossSegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss'),
            weight=0.2,  # (DuPL)
            start=0.1,  # (DuPL)
            idle='zero',
        ),
        # (DuPL) the padding takes part: with_padding=True.
        ignored=dict(
            type='IgnoredConsistencyTerm',
            labels='pixel',
            view='strong',
            confidence=0.9,  # (DuPL)
            weight=0.05,  # (DuPL)
            start=filter_from,
        ),
    ),
    deploy='first',
    test_cfg=students_test_cfg,
)
# The view of the last term, for MultiCropViews. (DuPL) 5 operations of magnitude 10 of 30 on view
# 1, smaller by 0.75 and mirrored; they act after the resizing here, before it there.
strong_view = dict(
    of='view1',
    scale=0.75,
    flip=True,
    photometric=dict(type='RandomPhotometricOperations', num=5, magnitude=10, levels=30),
)
both_thresholds = ('students.first.thresholds', 'students.second.thresholds')
