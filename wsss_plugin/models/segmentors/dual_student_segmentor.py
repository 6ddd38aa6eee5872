"""Two segmentors that teach each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.model import ModuleDict
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.batch import Batch
from wsss_plugin.models.part_building import build_parts
from wsss_plugin.models.part_trial import try_terms_between
from wsss_plugin.models.phase_plan import active_terms, check_reader
from wsss_plugin.models.segmentors import cam_prediction
from wsss_plugin.models.segmentors.dual_student_config import (
    DEPLOYED,
    STUDENTS,
    DualStudentConfig,
)
from wsss_plugin.models.segmentors.mean_segmentor import mean_logits
from wsss_plugin.models.segmentors.toolbox_segmentor import ToolboxSegmentor
from wsss_plugin.models.terms.student_batches import StudentBatches


@MODELS.register_module()
class DualStudentSegmentor(DualStudentConfig, ToolboxSegmentor):
    """Two students of any single-stage segmentor here, with terms between them (DuPL).

    Each student has its own batch of the same images: its features, CAMs and labels. Its own terms
    teach it alone; the terms of the wrapper read the batches of both. Pretrained weights are the
    same for both, so that they differ in the random weights of their heads.

    Args:
        students: Configs of ``WeakSegmentor`` named ``first`` and ``second``, each with a decode
            head; they get the wrapper's preprocessor and test config.
        terms: Configs of terms between students by name, such as ``CrossSegmentationTerm``.
        deploy: Who predicts, is published, scored and drawn: 'first', 'second', or 'mean', the mean
            of the probabilities of both, with the CAMs and labels of the first. The default is no
            choice by scores: DuPL's code takes whichever is better on the validation masks.
        data_preprocessor: Config of the data preprocessor, usually ``MultiViewDataPreProcessor``.
        train_cfg: MMSegmentation's training config.
        test_cfg: As of ``WeakSegmentor``, for both students.
        pretrained: Unused; MMSegmentation's ``init_model`` sets it to None.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If the students are not two with decode heads and the same classes, a term does
            not fit them, or ``deploy`` is unknown.
    """

    def __init__(
        self,
        students: Mapping[str, Any],
        terms: Mapping[str, Any] | None = None,
        deploy: str = 'first',
        data_preprocessor: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        pretrained: None = None,  # noqa: ARG002
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if set(students) != set(STUDENTS):
            raise ValueError(
                f'expected model.students named {STUDENTS}, received {sorted(students)}'
            )
        if deploy not in DEPLOYED:
            raise ValueError(f'expected model.deploy in {DEPLOYED}, received {deploy!r}')
        config = dict(students=students, data_preprocessor=data_preprocessor, test_cfg=test_cfg)
        self.students = ModuleDict(
            {name: MODELS.build(self.student_config(config, name)) for name in STUDENTS}
        )
        self.terms = build_parts(terms, 'terms')
        self.deploy = deploy
        self.train_cfg = train_cfg
        self.test_cfg = ConfigDict(self.shown.test_cfg)
        self._check_students()
        self._check_terms()
        self.num_classes = self.shown.num_classes
        self.out_channels = self.shown.out_channels
        self.align_corners = self.shown.align_corners

    def _check_students(self) -> None:
        found = {
            name: (type(student.decode_head).__name__, student.num_classes)
            for name, student in self.students.items()
        }
        if (
            'NoneType' in dict(found.values())
            or len({classes for _, classes in found.values()}) > 1
        ):
            raise ValueError(
                'expected students with decode heads and the same number of classes in '
                f'model.students, received decode heads and classes {found}'
            )

    def _check_terms(self) -> None:
        for name, term in self.terms.items():
            for student in self.students.values():
                check_reader(student, f'terms.{name}', term.needs())
                student.views.update(term.needs().views)
        kinds = [type(term) for term in self.terms.values()]
        for name, term in self.terms.items():
            term.suffix = f'_{name}' if kinds.count(type(term)) > 1 else ''
        try_terms_between(list(self.students.values()), self.terms)

    @property
    def shown(self) -> Any:
        """The student whose CAMs and labels are shown."""
        return self.students[STUDENTS[0] if self.deploy == 'mean' else self.deploy]

    @property
    def decode_head(self) -> Any:
        """The decode head of the student that is shown."""
        return self.shown.decode_head

    @property
    def cams(self) -> Any:
        """The CAM sources of the student that is shown."""
        return self.shown.cams

    @property
    def cam_names(self) -> tuple[str, ...]:
        """Names of the CAM sources of the student that is shown."""
        return self.shown.cam_names

    @property
    def labels(self) -> Any:
        """The label makers of the student that is shown."""
        return self.shown.labels

    @property
    def thresholds(self) -> Any:
        """The background thresholds of the student that is shown."""
        return self.shown.thresholds

    @property
    def num_foreground(self) -> int:
        """Number of foreground classes K."""
        return self.shown.num_foreground

    @property
    def main_view(self) -> str:
        """Name of the view that is predicted and labelled."""
        return self.shown.main_view

    @property
    def views(self) -> set[str]:
        """Names of the views that the terms read."""
        return {view for student in self.students.values() for view in student.views}

    def batch(self, *args: Any, **kwargs: Any) -> Batch:
        """A batch of the student that is shown.

        Args:
            args: As of ``WeakSegmentor``.
            kwargs: As of ``WeakSegmentor``.

        Returns:
            The batch.
        """
        return self.shown.batch(*args, **kwargs)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of the student that is shown.

        Args:
            inputs: Normalised images (B, 3, H, W).

        Returns:
            Feature maps.
        """
        return self.shown.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Segmentation logits of the student that is deployed, or of the mean of both.

        Args:
            inputs: Normalised images (B, 3, H, W).
            batch_img_metas: Metainfo of each image.

        Returns:
            Logits of shape (B, K + 1, H, W).
        """
        if self.deploy != 'mean':
            return self.shown.encode_decode(inputs, batch_img_metas)
        return mean_logits(
            [student.encode_decode(inputs, batch_img_metas) for student in self.students.values()]
        )

    def loss(
        self, inputs: Tensor | Mapping[str, Tensor], data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """All losses of a training iteration, each already weighted.

        Args:
            inputs: Normalised views by name, or the main view alone, each (B, 3, H, W).
            data_samples: Samples with ``gt_tags``, perhaps ``box``, ``view_geometry`` and
                ``sample_seed``.

        Returns:
            Losses of the students' own terms as ``first.<name>`` and ``second.<name>``, and those
            of the terms between them.

        Raises:
            KeyError: If a view is missing.
            ValueError: If two terms give a loss of the same name.
        """
        hub = MessageHub.get_current_instance()
        max_iters = hub.get_info('max_iters', None)
        active = active_terms(self, hub.get_info('iter', None) or 0, max_iters)
        further = [term.needs() for term in active.values()]
        batches = StudentBatches(
            *(
                self.students[name].training_batch(inputs, data_samples, further)
                for name in STUDENTS
            )
        )
        between: dict[str, Tensor] = {}
        for name, term in self.terms.items():
            new = term(batches) if name in active else term.idle_losses(name, self)
            if repeated := sorted(between.keys() & new.keys()):
                raise ValueError(
                    f'expected losses of different names, received {repeated} of model.terms.'
                    f'{name} a second time; set loss.loss_name'
                )
            between.update(new)
        own = {
            f'{name}.{key}': value
            for name, batch in zip(STUDENTS, batches, strict=True)
            for key, value in self.students[name].losses_of(batch).items()
        }
        return {**own, **between}

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Segmentation by who is deployed; CAMs and pseudo labels where ``test_cfg`` asks for them.

        Args:
            inputs: Normalised images (B, 3, H, W).
            data_samples: Samples; only those with ``gt_tags`` get CAMs and pseudo labels.

        Returns:
            Samples as of ``WeakSegmentor``.
        """
        predictions = self.segment(inputs, data_samples)
        return cam_prediction.add_weak_predictions(self.shown, inputs, predictions)

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
        if self.deploy != 'mean':
            return self.shown._forward(inputs, data_samples)
        return mean_logits(
            [student._forward(inputs, data_samples) for student in self.students.values()]
        )
