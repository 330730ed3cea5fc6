"""The twin: a hospital's managed hosts as containers on this machine, a bridge a zone, a real gateway between them."""
