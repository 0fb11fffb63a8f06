"""The comparison of releases of torch says what differs, and a Python without torch is a clear error.

Here: the command's own logic. Not here: another release; that takes an environment (versions.py).
"""

from __future__ import annotations

import pytest
import versions


def test_differences_name_the_release_and_the_line() -> None:
    here = {"a.py bad": ["line 3 DET403"], "b.py": []}
    there = {"a.py bad": ["line 4 DET403"], "b.py": [], "c.py": []}
    assert versions.differences(here, there, ("2.13.0", "1.13.1")) == [
        "a.py bad: only on 2.13.0: line 3 DET403",
        "a.py bad: only on 1.13.1: line 4 DET403",
        "c.py: only on 2.13.0: not run",
    ]
    assert versions.differences(here, here, ("2.13.0", "2.13.0")) == []


def test_a_python_that_does_not_run_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert versions.main(["--python", "no/such/python"]) == 2
    assert "no/such/python" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--torch", "2.8.0", "--python", "python"], ["--release", "2.8.0"]])
def test_bad_options_name_themselves(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        versions.main(arguments)
    assert stopped.value.code == 2
    assert "--torch" in capsys.readouterr().err
