"""The Datasets window: data bound to roles, tested and saved."""
