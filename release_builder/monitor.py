"""What a running command tells while it runs; how that looks is the command line's matter."""

from __future__ import annotations


class Monitor:
    """Says nothing. The command line's monitors override what they show."""

    def begin(self, what: str, total: int | None = None) -> None:
        """Some work starts.

        Args:
            what: A few words, such as ``sync 9.0beta3 x86_64``.
            total: Bytes that it will take, where known.
        """

    def advance(self, count: int) -> None:
        """``count`` more bytes are done."""

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """``done`` bytes of ``total`` are done in all; ``note`` says more, such as files."""

    def note(self, text: str) -> None:
        """A few words beside the bytes, such as how many parts there are."""

    def end(self) -> None:
        """The work that was begun last is over, well or not."""

    def detail(self, text: str) -> None:
        """A line for those who asked for more (``-v``)."""
