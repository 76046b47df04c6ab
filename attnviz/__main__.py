"""`python -m attnviz`: the same as the command `attnviz`."""

import sys

from attnviz.cli import main

sys.exit(main())
