"""Farm and supply-chain emissions (METHODS section 4, non_biomass): from an input payload to emissions per source and year."""
