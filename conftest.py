"""Makes pytest know the course: --solution, --hidden, the `solution` fixture, reports a learner can read."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

from kata.plugin import *
