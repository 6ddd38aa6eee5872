"""What the config of two students says about them, without building anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_plugin.models.registered_class import registered_class

STUDENTS = ('first', 'second')
DEPLOYED = (*STUDENTS, 'mean')


class DualStudentConfig:
    """Answers of ``DualStudentSegmentor`` to tools that have its config only."""

    @classmethod
    def deployed(cls, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """The segmentor that predicts alone what the students predict.

        Args:
            config: ``model`` of a config.

        Returns:
            The config of an ``EncoderDecoder``, or of a ``MeanSegmentor`` for ``deploy='mean'``,
            and the new prefix of the names of weights by the old one.

        Raises:
            ValueError: If a student cannot be deployed.
        """
        choice = config.get('deploy', STUDENTS[0])
        if choice != 'mean':
            model, prefixes = cls._deployed_student(config, choice)
            return model, {f'students.{choice}.{old}': new for old, new in prefixes.items()}
        members, renamed = {}, {}
        for name in STUDENTS:
            members[name], prefixes = cls._deployed_student(config, name)
            renamed.update(
                {f'students.{name}.{old}': f'members.{name}.{new}' for old, new in prefixes.items()}
            )
        model = {}
        for member in members.values():
            model = {
                key: member.pop(key) for key in ('data_preprocessor', 'test_cfg') if key in member
            }
        return {**model, 'type': 'MeanSegmentor', 'members': members}, renamed

    @classmethod
    def _deployed_student(
        cls, config: Mapping[str, Any], name: str
    ) -> tuple[dict[str, Any], dict[str, str]]:
        student = cls.student_config(config, name)
        return registered_class(student).deployed(student)

    @classmethod
    def student_config(cls, config: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The config of one student with what the wrapper owns.

        Args:
            config: ``model`` of a config.
            name: 'first' or 'second'.

        Returns:
            Its config.
        """
        student = dict(config['students'][name])
        if config.get('data_preprocessor') is not None:
            student['data_preprocessor'] = config['data_preprocessor']
        student['test_cfg'] = {**(student.get('test_cfg') or {}), **(config.get('test_cfg') or {})}
        return student

    @classmethod
    def predicts(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """What the students predict; CAMs and labels are those of one of them.

        Args:
            config: ``model`` of a config.

        Returns:
            As of ``WeakSegmentor``.
        """
        choice = config.get('deploy', STUDENTS[0])
        student = cls.student_config(config, STUDENTS[0] if choice == 'mean' else choice)
        return registered_class(student).predicts(student)

    @classmethod
    def threshold_keys(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Where the background thresholds of both students are.

        Args:
            config: ``model`` of a config.

        Returns:
            Dotted keys.
        """
        students = {name: cls.student_config(config, name) for name in STUDENTS}
        return tuple(
            f'students.{name}.{key}'
            for name, student in students.items()
            for key in registered_class(student).threshold_keys(student)
        )
