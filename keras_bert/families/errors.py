"""The error that a configuration raises."""


class ConfigError(ValueError):
    """A configuration that is damaged, or of no architecture that this package can build."""
