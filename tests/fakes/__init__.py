"""Providers as small servers on real sockets. They answer as the real ones do, with faults by seed."""
