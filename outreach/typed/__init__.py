"""What somebody typed into a form and did not send, kept until they are back."""
