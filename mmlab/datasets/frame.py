"""Columns as a pandas table, for readers who go on with pandas; it is loaded when the first table is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa


def frame(columns: Mapping[str, Sequence[Any]]) -> Any:
    """A pandas DataFrame of equally long columns."""
    return pa.table({name: list(values) for name, values in columns.items()}).to_pandas()
