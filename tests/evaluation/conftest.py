import wsss_plugin  # noqa: F401  (the toolbox imports only after it)
