"""Every figure that the README claims, each reproducible with `make bench BENCH=name`."""
