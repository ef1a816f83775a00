"""Does CFN steer better? Policies and their peers on the same workloads, simulated event by event."""
