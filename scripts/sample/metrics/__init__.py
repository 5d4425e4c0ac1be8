"""Planted layers and truth of biomass, biodiversity, water and layers of one's own (METHODS sections 1, 4, 5, 6)."""
