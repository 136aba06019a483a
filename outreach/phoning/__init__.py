"""The telephone: a caller put through to a patient, and patients who ring back."""
