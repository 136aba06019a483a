"""The benches: each sets our code beside the bare limit, in one run on the same rows."""
