"""`python -m foxnn` is the same as `foxnn`."""

import sys

from foxnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
