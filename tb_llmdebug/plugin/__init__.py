"""The TensorBoard plugin: loader, routes, static files."""
