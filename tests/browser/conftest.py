"""One JupyterLab and one browser for all tests of a process; a missing browser is a failure with a sentence."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from mmlab.bench.chromium import MISSING, find
from tests.browser.lab import FLAGS, Lab


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    started = Lab().start()
    yield started
    started.stop()
