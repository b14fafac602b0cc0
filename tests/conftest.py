"""For every test: shapes are checked at run time, and lessons that would compare nothing fail."""

from mmlab.testing import check_shapes

check_shapes()  # before the first test imports a module of mmlab

from tests.notebooks.guard import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
