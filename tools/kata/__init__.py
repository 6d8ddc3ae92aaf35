"""What the tools, conftest.py and the suites share. Start with `topics`, then `verdict`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (someone may try)
    print("This course needs Python 3.11 or newer, this is " + sys.version.split()[0], file=sys.stderr)
    print("python tools/doctor.py looks at the whole set-up.", file=sys.stderr)
    sys.exit(2)
