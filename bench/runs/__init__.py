"""One module per thing that is measured; see bench.child."""
