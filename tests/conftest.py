"""What every test runs under: shapes and types of `lessons` are checked while tests run, and only then."""

import os

from jaxtyping import install_import_hook

# Two pytest workers on two cores: more threads a process only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

install_import_hook("lessons", "beartype.beartype")
