"""What runs beside a submission: these files know nothing of mmlab, of references or of expected values.

The grader copies this folder into a box of its own and starts it there as the package `box`; only the standard library,
NumPy and what an exercise allows are loaded. `wire` is the one file that the grader uses too.
"""
