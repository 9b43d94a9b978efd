"""Where releases are public: folders below a root, each of them replaced in one go."""
