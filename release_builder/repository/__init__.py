"""The image repository: plain files that Puavo's laptops and boot servers read."""
