"""The configuration: tierd.yaml, read with places, checked as a whole, composed from each part's own settings class."""
