"""Scaling inside the model: of inputs, and of the targets of a regression, so that users have to do neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arguments import pointing
from foxnn._arrays import Targets, as_inputs
from foxnn._options import real, unknown
from foxnn.data.reading import Reading
from foxnn.losses import ANY_NUMBER

if TYPE_CHECKING:
    from typing_extensions import Self

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
_Kinds = tuple[str | None, str | None]
_Scalings = tuple[Scaling | None, Scaling | None]


def checked_kind(value: Any, name: str) -> str | None:
    """`value` if it is the name of a scaling, or None."""
    if value is not None and value not in KINDS:
        raise unknown(name, value, KINDS)
    return cast("str | None", value)


class ScalingInside:
    """What a network knows of scaling; part of `NeuralNetwork`."""

    _kinds: _Kinds = (None, None)
    _scalings: _Scalings = (None, None)
    _unfitted: bool = False  # whether a scaling is wanted that has not been fitted

    @property
    def scale_inputs(self) -> str | None:
        """How inputs are scaled: "standard", "minmax" or None; one that is assigned is fitted by the next `fit`."""
        return self._kinds[0]

    @scale_inputs.setter
    def scale_inputs(self, kind: str | None) -> None:
        self._set_scaling(0, checked_kind(kind, "scale_inputs"), None)

    @property
    def scale_outputs(self) -> str | None:
        """How targets and outputs are scaled, as `scale_inputs`; for losses whose targets may be any numbers."""
        return self._kinds[1]

    @scale_outputs.setter
    def scale_outputs(self, kind: str | None) -> None:
        kind = checked_kind(kind, "scale_outputs")
        self._check_loss(_network(self).loss, kind)
        self._set_scaling(1, kind, None)

    @property
    def input_scaling(self) -> Scaling | None:
        """How inputs are scaled, if that has been fitted."""
        return self._scalings[0]

    @property
    def output_scaling(self) -> Scaling | None:
        """How targets are scaled, and outputs scaled back, if that has been fitted."""
        return self._scalings[1]

    @pointing
    def fit_scaling(self, X: Any, y: Any = None) -> Self:
        """Fit `scale_inputs` and `scale_outputs` to these samples.

        The first `fit` does that with the samples it trains on, and later ones leave it as it is; this is for fitting
        it to others, again, or before steps of one's own. What has been trained then means something else.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_in)
            As for `fit`, and read as `scale` and `offset` say.
        y : array-like of shape (n_samples, n_out)
            Needed if outputs are scaled.

        Returns
        -------
        NeuralNetwork
            The network itself.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or nothing is to be scaled; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The data is gone through once, in double precision, and not copied (Welford 1962; Chan, Golub and LeVeque
        1983). The result has the same bits for any number of threads.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 4, 1], "tanh", "linear", scale_inputs="minmax")
        >>> nn.fit_scaling([[0, 5], [10, 5]]).input_scaling
        Scaling(kind='minmax', shift=array([0., 5.]), spread=array([10.,  1.]))
        """
        network = _network(self)
        if self._kinds == (None, None):
            raise ValueError("fit_scaling: this network scales nothing; set scale_inputs or scale_outputs")
        with network._exclusively():
            inputs = as_inputs(X, network.sizes[0], dtype=network._dtype)
            values = None
            if self._kinds[1] is not None:
                if y is None:
                    raise ValueError("y: got None; with scale_outputs it takes the targets")
                values = network._targets(y, len(inputs)).values
            reading = Reading(network)
            self._fit_scaling(_core.Samples(inputs, values, None, None, *reading.of(inputs), ""), None)
            network._core.trained_on = reading.kind_of(inputs)
        return self

    def _fit_scaling(self, samples: Any, order: npt.NDArray[np.int64] | None) -> None:
        """Fit what is to be scaled to some of the core's samples; after an error nothing has changed."""
        scalings = list(self._scalings)
        for outputs, kind in enumerate(self._kinds):
            if kind is not None:
                shift, spread = samples.fit_scaling(bool(outputs), kind, order, _network(self).n_threads or 0)
                scalings[outputs] = Scaling(kind, np.array(shift), np.array(spread))
        self._set_scalings(self._kinds, (scalings[0], scalings[1]))

    def _set_scaling(self, outputs: int, kind: str | None, scaling: Scaling | None) -> None:
        kinds, scalings = list(self._kinds), list(self._scalings)
        kinds[outputs], scalings[outputs] = kind, scaling
        self._set_scalings((kinds[0], kinds[1]), (scalings[0], scalings[1]))

    def _set_scalings(self, kinds: _Kinds, scalings: _Scalings) -> None:
        arrays = [array for s in scalings for array in (([], []) if s is None else (s.shift, s.spread))]
        _network(self)._core.set_scalings(*arrays)
        self._kinds, self._scalings = kinds, scalings
        self._unfitted = any(k is not None and s is None for k, s in zip(kinds, scalings, strict=True))

    def _check_scaled(self) -> None:
        """Raise if a scaling is wanted that has not been fitted."""
        if self._unfitted:
            wanted = zip(("scale_inputs", "scale_outputs"), self._kinds, self._scalings, strict=True)
            missing = [name for name, kind, scaling in wanted if kind is not None and scaling is None]
            raise RuntimeError(f"{' and '.join(missing)}: not fitted yet; call fit, or fit_scaling(X, y), first")

    @staticmethod
    def _check_loss(loss: Loss, kind: str | None) -> None:
        if kind is not None and loss.target_range != ANY_NUMBER:
            raise ValueError(
                f"scale_outputs: got {kind!r} with the loss {loss.name!r}, whose targets cannot be any numbers; it "
                "takes a loss for regression"
            )

    def _regression(self, targets: Targets) -> Targets:
        """Targets as they are; with scaled outputs they have to be values, and are never right or wrong."""
        if self._kinds[1] is None:
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
        width = network.sizes[-1 if outputs else 0]
        if (len(shift), len(spread)) != (width, width):
            raise ValueError(f"got {len(shift)} shifts and {len(spread)} spreads; it takes {width} of each")
        scaling = Scaling(kind, np.array(shift), np.array(spread))
    if outputs:
        network._check_loss(network.loss, kind)
    network._set_scaling(outputs, kind, scaling)


def _network(part: ScalingInside) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
