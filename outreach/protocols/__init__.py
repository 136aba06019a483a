"""Pages on which administrators edit programmes, see a patient's weeks of them, and publish."""
