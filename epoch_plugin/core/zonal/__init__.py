"""The zonal engine: coverage once per grid, many layers gathered, cell kernels summed by plot."""
