"""One lock around native libraries that cannot be copied in the middle of a call: a fork waits for it.

RQ forks a process for each job, and process pools fork theirs. A child that was copied while another thread was
inside eSpeak NG or libsndfile found their state or locks half-way: it crashed in one and hung in the other.
"""

import os
import threading

in_use = threading.RLock()

os.register_at_fork(before=in_use.acquire, after_in_parent=in_use.release, after_in_child=in_use.release)
