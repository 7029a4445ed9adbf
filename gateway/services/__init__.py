"""Use cases: what the gateway does, one file a subject. They decide with `ivr`, remember with `store`."""
