"""What happens without somebody waiting at the line: jobs, the worker that does them, the clock that rings."""
