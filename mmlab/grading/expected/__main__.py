"""Makes the expected values again from the references: `python -m mmlab.grading.expected [ID ...]`."""

import sys

from mmlab.grading.exercises import EXERCISES
from mmlab.grading.expected import FOLDER, written
from mmlab.grading.reference import build, reference_source


def main(ids: list[str]) -> None:
    for id in ids or EXERCISES:
        entry = build(EXERCISES[id], reference_source(id))
        (FOLDER / f"{id}.json").write_text(written(EXERCISES[id], entry), encoding="utf-8")
    if not ids:
        for path in FOLDER.glob("*.json"):
            if path.stem not in EXERCISES:
                path.unlink()
    print(f"expected values of {len(ids or EXERCISES)} exercises written")


main(sys.argv[1:])
