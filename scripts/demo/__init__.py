"""The demo: people, their histories, and the rows they become."""
