"""Scaling inside the model: of inputs, and of the targets of a regression, so that users have to do neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arrays import Targets, as_inputs
from foxnn._options import real, unknown
from foxnn.data.reading import Reading
from foxnn.losses import ANY_NUMBER

if TYPE_CHECKING:
    from foxnn.losses import Loss
    from foxnn.network import NeuralNetwork

#: "standard": to a mean of 0 and a standard deviation of 1; "minmax": to a range from 0 to 1.
KINDS = ("standard", "minmax")


class Scaling(NamedTuple):
    """A scaling that has been fitted: numbers x are read as ``(x - shift) / spread``.

    Attributes
    ----------
    kind : "standard" or "minmax"
    shift : ndarray of shape (n,) of float64
        Of each column the mean, or the least number.
    spread : ndarray of shape (n,) of float64
        Of each column the standard deviation (with ``n`` in the denominator), or the largest number minus the least;
        1 where all numbers are the same.
    """

    kind: str
    shift: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]


#: Of inputs and outputs.
Kinds = tuple[str | None, str | None]
Scalings = tuple[Scaling | None, Scaling | None]


def checked_kind(value: Any, name: str) -> str | None:
    """`value` if it is the name of a scaling, or None."""
    if value is not None and value not in KINDS:
        raise unknown(name, value, KINDS)
    return cast("str | None", value)


def set_scale_inputs(network: NeuralNetwork, kind: str | None) -> None:
    """See `NeuralNetwork.scale_inputs`."""
    assign(network, 0, checked_kind(kind, "scale_inputs"), None)


def set_scale_outputs(network: NeuralNetwork, kind: str | None) -> None:
    """See `NeuralNetwork.scale_outputs`."""
    kind = checked_kind(kind, "scale_outputs")
    check_loss(network.loss, kind)
    assign(network, 1, kind, None)


def fit_scaling(network: NeuralNetwork, X: Any, y: Any = None) -> None:
    """See `NeuralNetwork.fit_scaling`."""
    if network._kinds == (None, None):
        raise ValueError("fit_scaling: this network scales nothing; set scale_inputs or scale_outputs")
    with network._exclusively():
        inputs = as_inputs(X, network._n_in, dtype=network._dtype)
        values = None
        if network._kinds[1] is not None:
            if y is None:
                raise ValueError("y: got None; with scale_outputs it takes the targets")
            values = network._targets(y, len(inputs)).values
        reading = Reading(network)
        fit(network, _core.Samples(inputs, values, None, None, *reading.of(inputs), ""), None)
        network._core.trained_on = reading.kind_of(inputs)


def fit(network: NeuralNetwork, samples: Any, order: npt.NDArray[np.int64] | None) -> None:
    """Fit what is to be scaled to some of the core's samples; after an error nothing has changed."""
    scalings = list(network._scalings)
    for outputs, kind in enumerate(network._kinds):
        if kind is not None:
            shift, spread = samples.fit_scaling(bool(outputs), kind, order, network.n_threads or 0)
            scalings[outputs] = Scaling(kind, np.array(shift), np.array(spread))
    assign_all(network, network._kinds, (scalings[0], scalings[1]))


def assign(network: NeuralNetwork, outputs: int, kind: str | None, scaling: Scaling | None) -> None:
    """Give a network one of its scalings, or have it fitted."""
    kinds, scalings = list(network._kinds), list(network._scalings)
    kinds[outputs], scalings[outputs] = kind, scaling
    assign_all(network, (kinds[0], kinds[1]), (scalings[0], scalings[1]))


def assign_all(network: NeuralNetwork, kinds: Kinds, scalings: Scalings) -> None:
    """Give a network both of its scalings."""
    arrays = [array for s in scalings for array in (([], []) if s is None else (s.shift, s.spread))]
    network._core.set_scalings(*arrays)
    network._kinds, network._scalings = kinds, scalings
    network._unfitted = any(k is not None and s is None for k, s in zip(kinds, scalings, strict=True))


def check_fitted(network: NeuralNetwork) -> None:
    """Raise if a scaling is wanted that has not been fitted."""
    if network._unfitted:
        wanted = zip(("scale_inputs", "scale_outputs"), network._kinds, network._scalings, strict=True)
        missing = [name for name, kind, scaling in wanted if kind is not None and scaling is None]
        raise RuntimeError(f"{' and '.join(missing)}: not fitted yet; call fit, or fit_scaling(X, y), first")


def check_loss(loss: Loss, kind: str | None) -> None:
    """Refuse to scale the targets of a loss that takes only some."""
    if kind is not None and loss.target_range != ANY_NUMBER:
        raise ValueError(
            f"scale_outputs: got {kind!r} with the loss {loss.name!r}, whose targets cannot be any numbers; it "
            "takes a loss for regression"
        )


def regression(network: NeuralNetwork, targets: Targets) -> Targets:
    """Targets as they are; with scaled outputs they have to be values, and are never right or wrong."""
    if network._kinds[1] is None:
        return targets
    if targets.values is None:
        raise ValueError("y: got classes; with scale_outputs it takes values")
    return targets if not targets.correct else Targets(targets.values, None, "")


def as_json(network: NeuralNetwork, outputs: int) -> dict[str, Any] | None:
    """What a file says of a scaling."""
    kind, scaling = network._kinds[outputs], network._scalings[outputs]
    if scaling is None:
        return None if kind is None else {"kind": kind}
    return {"kind": kind, "shift": scaling.shift.tolist(), "spread": scaling.spread.tolist()}


def from_json(network: NeuralNetwork, outputs: int, value: Any) -> None:
    """Give a network the scaling of a file."""
    if value is None:
        return
    kind = checked_kind(value["kind"], "kind")
    if kind is None or set(value) not in ({"kind"}, {"kind", "shift", "spread"}):
        raise ValueError(f"got {list(value)}; it takes kind, shift and spread")
    scaling = None
    if "shift" in value:
        shift = [real("shift", number) for number in value["shift"]]
        spread = [real("spread", number, 0, open_below=True) for number in value["spread"]]
        width = network._n_out if outputs else network._n_in
        if (len(shift), len(spread)) != (width, width):
            raise ValueError(f"got {len(shift)} shifts and {len(spread)} spreads; it takes {width} of each")
        scaling = Scaling(kind, np.array(shift), np.array(spread))
    if outputs:
        check_loss(network.loss, kind)
    assign(network, outputs, kind, scaling)
