"""Training with RLlib; the only package that imports ray.

`Trainer` (in `league.training.trainer`) is the whole surface: everything above hands it opponents
and reads reports, weights and a resumable state, and never meets an RLlib object.
"""
