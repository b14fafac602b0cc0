"""Submissions that a grader has to get right: each with the points that its code deserves, no more and no less.

CASES is the corpus: `peers` are those on which two widely used graders were measured, `escapes` try to get at what the
grader knows or to harm it, `lies` lie about values and frames, `honest` are right but odd, `files` are odd as files.
"""

from tests.grading.corpus import escapes, files, honest, lies, peers
from tests.grading.corpus.case import Case

CASES: dict[str, Case] = {
    f"{module.__name__.rpartition('.')[2]}-{case.name}": case
    for module in (peers, escapes, lies, honest, files)
    for case in module.CASES
}
