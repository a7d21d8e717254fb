"""Stand-ins of production's services, each a server on loopback with faults that a test can inject."""
