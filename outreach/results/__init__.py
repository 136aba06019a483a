"""What was measured of a patient: entered and corrected by hand, judged at once; what is due."""
