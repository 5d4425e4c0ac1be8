"""Countries, admin areas and the regions that plots are compared with."""
