"""``python -m release_builder`` is ``release-builder``."""

from release_builder.cli import main

main()
