"""Training on several devices: schedules, real worker processes, scripts for launchers."""
