"""Where reeve answers otherwise than nginx or apache2, and why; see differ.py, which reads it."""

# (peer, fact, ours, theirs, why, requests)
TABLE = [
]

# (peer, fact, request): (ours, theirs)
EXPLAINED = {(peer, fact, name): (ours, theirs)
             for peer, fact, ours, theirs, _why, names in TABLE for name in names}
