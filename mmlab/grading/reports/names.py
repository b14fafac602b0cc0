"""Learners' names as names of files, and as text that no table or page takes for something else."""

import re
from collections.abc import Sequence

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
LONGEST = 80
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def file_names(names: Sequence[str]) -> list[str]:
    """One safe file name for each learner, Chinese and blanks kept, no two alike on any system."""
    taken: set[str] = set()
    found = []
    for name in names:
        safe = re.sub(r"[^\w \-()]", "_", name).strip(" .")[:LONGEST] or "unnamed"
        safe = f"_{safe}" if safe.lower() in RESERVED else safe
        number, unique = 1, safe
        while unique.lower() in taken:
            number += 1
            unique = f"{safe}-{number}"
        taken.add(unique.lower())
        found.append(unique)
    return found


def printable(text: str) -> str:
    """Text that XML allows."""
    return UNPRINTABLE.sub("�", text)


def points(number: float) -> str:
    return f"{number:g}"
