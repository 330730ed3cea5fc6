"""Pure: what a run saw is judged against what the design planned."""
