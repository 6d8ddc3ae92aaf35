"""Look at everything the course stands on, and say of each thing that is odd how to mend it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (said here, before anything that would not even be read)
    print("stop  Python       %s, %s" % (sys.version.split()[0], sys.executable))  # noqa: UP031
    print("                   install Python 3.11 or newer, and run the course with that one")
    sys.exit(1)

from kata import doctor

if __name__ == "__main__":
    doctor.main()
