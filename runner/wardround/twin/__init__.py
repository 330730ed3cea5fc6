"""The twin: a hospital's managed hosts as systemd containers on this machine, a bridge a zone, a real gateway between."""
