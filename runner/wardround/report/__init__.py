"""Pure: what people and programs are told."""
