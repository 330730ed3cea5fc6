"""From files to models: strict YAML with places, validation, the project's folders and the architecture library."""
