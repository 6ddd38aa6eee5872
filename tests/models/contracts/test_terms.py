"""Every loss term keeps to the contract; a new one gets a class here."""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from contracts.registered import is_term, registered, types_under_contract
from contracts.term_contract import TermContract
from contracts.tiny_network import AFFINITY_HEAD, CELL, IRN_HEAD, SIDE, WIDTH, network, views
from processes import run_two_processes

from wsss_plugin.models.terms import StudentBatches

GRID = SIDE // CELL
CAM = dict(in_channels=WIDTH, pooling='avg')


def softplus_of_logits(model, name='final'):
    """The classification loss where no image has a tag."""
    with torch.no_grad():
        logits = model.training_batch(views(), []).main.logits(name)
    return F.softplus(logits).mean().item()


class TestClassificationTerm(TermContract):
    term = dict(type='ClassificationTerm', cams=('final',))
    learns = {'backbone', 'cams.final'}

    def losses_of_nothing(self, model, losses):
        return dict.fromkeys(losses, softplus_of_logits(model))


class TestClassificationTermOfClassTokens(TermContract):
    term = dict(type='ClassificationTerm', reads='class_tokens')
    learns = {'backbone'}

    def losses_of_nothing(self, model, losses):
        tokens = model.training_batch(views(), []).main.features(['class_tokens'])['class_tokens']
        return dict.fromkeys(losses, F.softplus(tokens.mean(dim=2)).mean().item())


class TestSegmentationTerm(TermContract):
    term = dict(type='SegmentationTerm', labels='masks')
    learns = {'backbone', 'decode_head'}
    owns = {'decode_head'}


class TestEnergyTerm(TermContract):
    term = dict(type='EnergyTerm', labels='masks', loss=dict(type='DenseEnergyLoss', factor=1.0))
    learns = {'backbone', 'decode_head'}
    # The lattice filters a little differently forth and back.
    tolerance = 0.01

    def samples(self):
        """Without labels: where one is known, the gradient is not the derivative."""
        made = super().samples()
        for sample in made:
            sample.gt_sem_seg.data.fill_(255)
        return made


class TestPatchTokenContrastTerm(TermContract):
    term = dict(type='PatchTokenContrastTerm', labels='masks')
    learns = {'backbone'}
    label_side = GRID

    def losses_of_nothing(self, model, losses):
        return dict.fromkeys(losses, 0.5)


class TestClassTokenContrastTerm(TermContract):
    term = dict(
        type='ClassTokenContrastTerm',
        labels='masks',
        projection_head=dict(
            type='ProjectionHead',
            in_channels=WIDTH,
            hidden_channels=8,
            bottleneck_channels=4,
            out_channels=6,
        ),
        local_crops=dict(num=3, size=8, positive_threshold=1.0),
    )
    learns = {'backbone', 'terms.term'}
    owns = {'terms.term'}
    label_values = 3
    empty_label = 0
    # The teacher's tokens are the student's, detached.
    differentiated = {'terms.term'}

    def losses_of_nothing(self, model, losses):
        """Regions of background alone, of which tags and boxes say nothing more."""
        data_samples = self.samples()
        for sample in data_samples:
            sample.gt_sem_seg.data.zero_()
        return {
            name: value.item() for name, value in self.losses(model, None, data_samples).items()
        }


class TestConsistencyTerm(TermContract):
    term = dict(
        type='ConsistencyTerm',
        pairs=(('final', 'cnn'),),
        loss=dict(type='SemanticConsistencyLoss', norm='l2'),
    )
    parts = dict(cams=dict(cnn=dict(CAM, type='CAMHead', reads='level0')))
    learns = {'backbone', 'cams.final', 'cams.cnn'}

    def losses_of_nothing(self, model, losses):
        """Of all classes, whichever are tagged."""
        return {name: value.item() for name, value in self.losses(model).items()}


class TestConsistencyTermOfPresentClasses(TestConsistencyTerm):
    term = dict(
        TestConsistencyTerm.term,
        loss=dict(type='SemanticConsistencyLoss', present_only=True, detach='second'),
        compare='relu',
    )
    learns = {'backbone', 'cams.final'}
    differentiated = {'cams.final'}

    def losses_of_nothing(self, model, losses):
        return dict.fromkeys(losses, 0.0)


class TestReCAMTerm(TermContract):
    term = dict(type='ReCAMTerm', cams='second')
    parts = dict(
        cams=dict(
            second=dict(type='ReweightedCAMHead', in_channels=WIDTH, base='final', weights='second')
        )
    )
    learns = {'backbone', 'cams.final', 'cams.second'}


class TestAffinityTerm(TermContract):
    term = dict(type='AffinityTerm', labels='masks')
    parts = dict(heads=dict(affinity=AFFINITY_HEAD))
    learns = {'backbone', 'heads.affinity'}


class TestIRNTerm(TermContract):
    term = dict(type='IRNTerm', labels='masks')
    parts = dict(heads=dict(irn=IRN_HEAD))
    learns = {'heads.irn'}


class StudentTermContract(TermContract):
    """A term between two students."""

    def config(self, term, parts):
        student = network(**parts)
        return dict(
            type='DualStudentSegmentor',
            data_preprocessor=student['data_preprocessor'],
            students=dict(first=student, second=student),
            terms=dict(term=term),
        )

    def batch(self, model, inputs, data_samples):
        needs = [model.terms['term'].needs()]
        students = model.students.values()
        return StudentBatches(*(s.training_batch(inputs, data_samples, needs) for s in students))

    def main_views(self, batch):
        return [one.image for one in batch]

    def backbones(self, model):
        return [student.backbone for student in model.students.values()]


def of_both(*parts):
    """The parts of each student."""
    return {f'students.{name}.{part}' for name in ('first', 'second') for part in parts}


class TestCrossSegmentationTerm(StudentTermContract):
    term = dict(type='CrossSegmentationTerm', labels='masks')
    learns = of_both('backbone', 'decode_head')
    owns = of_both('decode_head')


class TestDiscrepancyTerm(StudentTermContract):
    term = dict(type='DiscrepancyTerm')
    learns = of_both('backbone')
    # Each of the two cosines, which are equal, teaches one student.
    derivative = 2.0

    def losses_of_nothing(self, model, losses):
        """Of the features alone."""
        return {name: value.item() for name, value in self.losses(model).items()}


class TestIgnoredConsistencyTerm(StudentTermContract):
    term = dict(type='IgnoredConsistencyTerm', labels='masks', confidence=0.0, start=0)
    learns = of_both('backbone', 'decode_head')

    def samples(self):
        """Every second row has no label."""
        made = super().samples()
        for sample in made:
            sample.gt_sem_seg.data[:, ::2] = 255
        return made


def contracts() -> list[type[TermContract]]:
    """The test classes of all terms."""
    return [kind for name, kind in globals().items() if name.startswith('Test')]


def test_every_term_keeps_to_it():
    assert registered(is_term) == types_under_contract(globals(), TermContract, 'term')


def test_two_processes_of_which_one_is_empty(tmp_path):
    cases = [contract() for contract in contracts()]
    for case in cases:
        case.check_processes(rank=None)

    def compare(rank):
        rendezvous = f'file://{tmp_path / "rendezvous"}'
        dist.init_process_group('gloo', init_method=rendezvous, rank=rank, world_size=2)
        for case in cases:
            print(type(case).__name__, flush=True)
            case.check_processes(rank)
        dist.destroy_process_group()

    run_two_processes(compare, tmp_path)
