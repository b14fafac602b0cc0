"""The data that ship: one object for all tests of a process, as their colours take seconds to measure."""

import pytest

from mmlab.datasets.emoji import EmojiData


@pytest.fixture(scope="session")
def data() -> EmojiData:
    return EmojiData.load()
