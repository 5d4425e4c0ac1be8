"""Read models of stored results: what a person who monitors plots looks at. No widgets, no writing."""
