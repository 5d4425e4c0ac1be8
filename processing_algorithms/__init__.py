"""One thin file per Processing algorithm: parameters, a call into the core, outputs."""
