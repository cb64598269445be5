"""That all peers do the same work: after some steps on one full batch they have the same loss."""

from __future__ import annotations

from types import ModuleType

import problems

STEPS, TOLERANCE = 5, 1e-3


def losses_agree(modules: dict[str, ModuleType], sizes: list[int], batch: int) -> dict[str, float]:
    """The loss of each; a RuntimeError if one differs from foxnn's.

    One batch is all the data there is, so that it does not matter how it is shuffled.
    """
    problem = problems.make(sizes, batch, rows=1, learning_rate=1e-3)
    losses = {}
    for name, module in modules.items():
        training = module.train(problem)
        for _ in range(STEPS):
            training.run(1)
        losses[name] = problems.loss_of(problem, training.parameters())
    for name, loss in losses.items():
        if abs(loss - losses["foxnn"]) > TOLERANCE * losses["foxnn"]:
            raise RuntimeError(f"{name} has a loss of {loss} after {STEPS} steps, foxnn one of {losses['foxnn']}")
    return losses
