"""What the cells of a plot say: pure functions, arrays in, typed results out."""
