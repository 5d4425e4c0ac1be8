"""One plot in words, numbers and pictures; the map tool that checks a drawn one."""
