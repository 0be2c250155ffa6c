"""Fixtures of the command-line tests."""

import pytest

from emmd.experiments import cli


@pytest.fixture
def emmd(monkeypatch, capsys):
    """Run the command line in this process; return exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["emmd", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return run
