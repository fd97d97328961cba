"""Getting attention out of models and arrays: one module per framework."""
