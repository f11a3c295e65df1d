"""``python -m latlas``: the command."""

import sys

from latlas._command import main

sys.exit(main())
