"""The verbs of the `cfn` command that this package brings itself."""
