"""Roles, profiles and the datasets file; what each raster is and what its values mean."""
