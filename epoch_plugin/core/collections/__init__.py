"""From any plot file to canonical plots: read, validate, mend, identify."""
