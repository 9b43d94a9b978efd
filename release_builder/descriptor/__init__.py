"""What a user asks for: versions, descriptors, and the releases that follow from them."""
