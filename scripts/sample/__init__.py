"""The synthetic sample: a landscape whose every number is known because it was planted."""
