"""Water (METHODS section 6): water stress, precipitation against evaporative demand, soil moisture and evapotranspiration against other years."""
