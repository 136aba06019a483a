"""How long what is known of a patient is kept: holds, requests, anonymising."""
