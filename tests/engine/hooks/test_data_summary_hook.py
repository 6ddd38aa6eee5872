"""Lines at the start of a training, from the main process alone."""

from wsss_plugin.engine import inspection
from wsss_plugin.engine.hooks import DataSummaryHook, data_summary_hook


def test_logs_each_line(monkeypatch):
    logged = []
    monkeypatch.setattr(inspection, 'training_summary', lambda runner: [f'{runner}: 3', 'cls'])
    monkeypatch.setattr(
        data_summary_hook, 'print_log', lambda text, logger: logged.append((text, logger))
    )
    DataSummaryHook().before_train('train')
    assert logged == [('train: 3', 'current'), ('cls', 'current')]
    monkeypatch.setattr(data_summary_hook, 'is_main_process', lambda: False)
    DataSummaryHook().before_train('train')
    assert len(logged) == 2
