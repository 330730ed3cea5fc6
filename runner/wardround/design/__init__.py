"""Pure: a hospital manifest and its architectures become one design."""
