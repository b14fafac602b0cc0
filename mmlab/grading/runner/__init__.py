"""The grader: reads what was handed in, runs solutions where they can do no harm, and judges the values that come out.

Three processes. The grader (all of this package but `box`) holds checks and expected values and never runs a submission.
A zygote (`box.zygote`), one for each worker and set of allowed modules, has these loaded and forks. A child (`box.child`)
is one solution alone: inputs go in, values come out, verdicts stay in the grader.
"""

from mmlab.grading.runner.batch import SCHEMA, Options, grade
from mmlab.grading.runner.pool import Limits

__all__ = ["SCHEMA", "Limits", "Options", "grade"]
