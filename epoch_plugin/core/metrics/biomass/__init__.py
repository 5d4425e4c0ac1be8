"""Biomass, soil carbon and emissions from land-use change (METHODS section 4): stocks of two years, differenced cell by cell."""
