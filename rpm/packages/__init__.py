"""The packages for Enterprise Linux: their contents, rpmbuild, signatures."""
