"""What several tests of the grader share: a class that is graded in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmlab.grading.runner import Options, grade
from tests.grading.toy import TOYS, handed_in, reference


@pytest.fixture
def graded(tmp_path) -> Callable[..., dict[str, Any]]:
    """Grades files that are named by keyword: solutions, or a file's bytes; on one worker, with the toy exercises."""

    def run(classroom: dict[str, dict | bytes], *, out: str = "out", say=lambda line: None, **options: Any) -> dict:
        paths = []
        for name, content in classroom.items():
            path = tmp_path / (name if Path(name).suffix else f"{name}.ipynb")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else handed_in(content))
            paths.append(path)
        chosen = Options(**{"workers": 1, **options})
        return grade(paths, tmp_path / out, options=chosen, exercises=TOYS, source_of=reference, say=say)

    return run
