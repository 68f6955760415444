"""Tests of one `xdist_group` run in one process, so that what they share is made once."""

import os

import pytest


@pytest.mark.xdist_group("groups")
def test_a_group_reaches_the_scheduler(request):
    """pytest 9.2 with xdist 3.8 drops groups without a word: what a group shares is then made by every process."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one process runs all tests: groups mean nothing")
    assert request.node.nodeid.endswith("@groups")
