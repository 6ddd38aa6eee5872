from wsss_plugin.engine.stages import status_table


def test_the_table_says_what_another_program_made(chain):
    runner = chain(first='1', b='2')
    runner.run(['first'])
    lines = status_table(runner.states(), 'new').splitlines()
    assert lines[0].split() == ['stage', 'kind', 'state', 'by', 'output']
    assert lines[1].split()[:3] == ['first', 'toy', 'done']
    assert f'{runner.program} (now new)' in lines[1]
    assert lines[2].split()[:3] == ['b', 'toy', 'new']
    assert '(now' not in status_table(runner.states(), runner.program)
