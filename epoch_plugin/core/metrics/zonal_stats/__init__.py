"""General zonal statistics of the user's own layers (METHODS section 1, last bullet; CONTRACT, grammar of `stats`)."""
