"""The configuration: a documented schema, filled from flags, variables and YAML."""
