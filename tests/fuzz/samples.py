"""Where the files lie that other programs wrote."""

from pathlib import Path
from typing import Final

SAMPLES: Final = Path(__file__).parents[1] / "data" / "jigdo-file"
