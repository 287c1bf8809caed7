"""The `forewarn` command: the folders beside this file are its import root.

In a checkout that is the repository; in an installed copy it is this package's own
folder, so `forewarn` is the one name that is added to site-packages.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def main() -> None:
    from pipeline.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
