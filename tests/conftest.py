"""What every test runs under: shapes and types of `lessons` are checked while tests run, and only then."""

import os

import pytest
from jaxtyping import install_import_hook

# Two pytest workers on two cores: more threads in each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The hook takes its checker as text. Where a float is asked for, an int will do (PEP 484).
install_import_hook("lessons", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")


def pytest_collection_modifyitems(items):
    """Mark what drives a browser, and put it last: playwright keeps an event loop running to the end."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: "browser" in item.path.parts)
