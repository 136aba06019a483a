"""Who looked at whom: noting it, and answering the question afterwards."""
