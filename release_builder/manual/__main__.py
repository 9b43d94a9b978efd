"""``python -m release_builder.manual DIR`` writes all of it; packages are built with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from release_builder.epoch import source_date_epoch
from release_builder.errors import ReleaseBuilderError
from release_builder.manual import write_manual

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m release_builder.manual DIR")
    try:
        write_manual(Path(sys.argv[1]), source_date_epoch(os.environ))
    except (ReleaseBuilderError, OSError) as error:
        sys.exit(f"error: {error}")
