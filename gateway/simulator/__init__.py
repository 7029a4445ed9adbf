"""A phone network in a box: a small Twilio-compatible carrier whose phones live on a browser page."""
