"""The conversation, pure: what a person hears next is decided here and nowhere else."""
