"""The Monitoring dock: a supply base at a glance, and its plots."""
