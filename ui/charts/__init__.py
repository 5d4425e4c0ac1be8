"""Charts as descriptions, drawn by matplotlib, or by Qt where it is missing."""
