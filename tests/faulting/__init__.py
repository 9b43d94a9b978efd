"""Faults at any system call of the installed command, and what must hold all the same."""
