"""Pure: what packet filters let pass, proved from their rules and held against the flows of a design."""
