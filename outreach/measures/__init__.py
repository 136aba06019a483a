"""What was measured: values with unit and time."""
