"""What texts say: in three languages, a version for each change a clinic makes."""
