"""What a mirror has of a product's releases, and which of them a descriptor follows."""
