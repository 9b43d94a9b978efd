"""What this machine has, what it lacks for which command, and how to mend it; nothing is changed."""
