"""From a YAML file to a Descriptor, with a complaint for everything that is wrong in it."""
