"""The GeoPackage: the only code that knows its tables."""
