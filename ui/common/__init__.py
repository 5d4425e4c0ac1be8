"""What docks and windows share."""
