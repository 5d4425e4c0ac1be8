"""Deforestation after the cut-off (METHODS section 3): which layers are needed, what each cell says, what a plot's cells add up to."""
