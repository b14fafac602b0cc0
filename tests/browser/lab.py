"""The JupyterLab and the browser page of these tests: those that `mmlab bench widgets` measures in."""

from mmlab.bench.lab import FLAGS, Lab, Sheet

__all__ = ["FLAGS", "Lab", "Sheet"]
