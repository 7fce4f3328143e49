"""Telling the right person, once, that a login has died or will end soon."""
