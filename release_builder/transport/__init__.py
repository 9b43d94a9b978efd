"""Where a tree comes from: rsync and local folders behind one small protocol."""
