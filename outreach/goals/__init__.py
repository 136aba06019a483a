"""What a patient wants for themselves, and how it goes."""
