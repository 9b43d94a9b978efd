"""The packages for Enterprise Linux, and what is built for them."""
