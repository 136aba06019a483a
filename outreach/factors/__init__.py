"""Second factors: authenticator codes, recovery codes and passkeys."""
