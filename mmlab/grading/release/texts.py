"""The small files of a release: what learners read first, their environment, and the workflow of their repository."""

README = """# mmlab: the course

A course in multimodal language models that you work through in JupyterLab. Everything is in this folder: the lessons in
`notebooks/`, and the package with its data in `{wheel}`. You need Python {python}; no GPU and no account.

## Start

```sh
python3 -m venv .venv
.venv/bin/python -m pip install ./{wheel}
.venv/bin/mmlab lab notebooks
```

On Windows the last two begin with `.venv\\Scripts\\`. With conda: `conda env create -f environment.yml`, then
`conda activate mmlab` and `mmlab lab notebooks`. Begin with `00_start_here`.

## Exercises

Each lesson ends with exercises. Write your solution into the cell below the task, and nowhere else: only that cell is
read. What it needs it imports itself. The check cell below it says at once what is right, and gives hints.

## Hand in

Commit your notebooks and push. The workflow `grade` of this repository then checks every exercise as the check cells do,
and shows the result on the page of its run. Your teacher grades once more with checks of their own. To see the same
result here:

```sh
.venv/bin/mmlab grade . --out report
```

and open your page in `report/learners`.

## A newer version of the course

Your teacher gives you a newer folder. Install its wheel as above, then run `.venv/bin/mmlab lab notebooks` again: new
lessons come, lessons that you did not change are brought up to date, and what you wrote is never overwritten.
"""

WORKFLOW = """# Checks the exercises at each push. It needs no secret and can change nothing.
name: grade
on: [push, workflow_dispatch]
permissions:
  contents: read

jobs:
  grade:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
          cache: pip
          cache-dependency-path: environment.yml
      # The variable TORCH_INDEX of the repository may hold the address of PyTorch's CPU index: the much smaller build.
      - if: vars.TORCH_INDEX != ''
        run: python -m pip install --quiet --index-url "${{ vars.TORCH_INDEX }}" torch
      - run: python -m pip install --quiet ./mmlab-*.whl
      - run: mmlab grade . --out report
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: report
          path: report
"""

GITIGNORE = """.venv/
report/
__pycache__/
.ipynb_checkpoints/
"""


def readme(wheel: str, python: str) -> str:
    return README.format(wheel=wheel, python=python.replace(">=", "").replace(",<", " to below "))


def environment(wheel: str, own: str) -> str:
    """The course's list of packages, with the wheel in place of a clone."""
    lines = [line for line in own.splitlines() if not line.startswith("#")]
    return "\n".join(lines).replace("- -e .", f"- ./{wheel}") + "\n"


def workflow() -> str:
    return WORKFLOW


def gitignore() -> str:
    return GITIGNORE
