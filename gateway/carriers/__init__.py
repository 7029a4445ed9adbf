"""Phone companies and their interfaces: each reads its form into our events and writes our actions into its format."""
