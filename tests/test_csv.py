"""Tables from CSV files: read right, or refused with file, line and column."""

from __future__ import annotations

import csv
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnn.datasets import TableEncoder, load_csv
from foxnn.datasets.encoder import Column, Target
from foxnn.datasets.records import Cells, read_records
from foxnn.errors import FileFormatError

HOMES = """area,city,price
80,Bern,1.5
64.5,Basel,0.9
100,Bern,2.25
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_file(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


# --------------------------------------------------------------------------------------------------
# Reading
# --------------------------------------------------------------------------------------------------


def test_numbers_stay_and_texts_become_one_hot(write: Any) -> None:
    table = load_csv(write(HOMES), target="price")
    assert table.feature_names == ("area", "city=Basel", "city=Bern")
    np.testing.assert_array_equal(table.X, [[80, 0, 1], [64.5, 1, 0], [100, 0, 1]])
    np.testing.assert_array_equal(table.y, np.array([1.5, 0.9, 2.25], dtype=np.float32))
    assert table.X.dtype == table.y.dtype == np.float32
    assert table.X.flags.c_contiguous
    assert (table.target, table.task, table.classes) == ("price", "regression", None)


def test_float64_keeps_all_digits(write: Any) -> None:
    table = load_csv(write("a,b\n0.1,1e300\n0.2,-1e300\n"), target="b", dtype="float64")
    assert table.X.dtype == table.y.dtype == np.float64
    assert table.X[0, 0] == 0.1
    assert table.y.tolist() == [1e300, -1e300]


def test_without_a_target_every_column_is_a_feature(write: Any) -> None:
    table = load_csv(write(HOMES))
    assert table.feature_names == ("area", "city=Basel", "city=Bern", "price")
    assert (table.y, table.target, table.task, table.classes) == (None, None, None, None)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_usual_dialects_are_read(write: Any, separator: str, line_end: str, mark: bytes, end: str) -> None:
    text = HOMES.strip().replace(",", separator) + end
    table = load_csv(write(mark + text.replace("\n", line_end).encode()), target="price")
    assert table.feature_names == ("area", "city=Basel", "city=Bern")
    np.testing.assert_array_equal(table.X[:, 0], [80, 64.5, 100])


def test_quotes_protect_delimiters_line_ends_and_quotes(write: Any) -> None:
    text = '"size, in m2";"note"\n1;"a;b"\n2;"two\nlines"\n3;"say ""hi"""\n'
    table = load_csv(write(text))
    assert table.feature_names == ("size, in m2", "note=a;b", 'note=say "hi"', "note=two\nlines")
    np.testing.assert_array_equal(table.X[:, 1:], [[1, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_blanks_around_cells_and_empty_lines_are_dropped(write: Any) -> None:
    table = load_csv(write("a , b\n 1, x\n\n2 ,x \n   \n"))
    assert table.feature_names == ("a", "b=x")
    assert table.X.tolist() == [[1, 1], [2, 1]]


def test_a_delimiter_can_be_named(write: Any) -> None:
    assert load_csv(write("a|b\n1|2\n"), delimiter="|").X.tolist() == [[1, 2]]
    assert load_csv(write("a;b,c\n1;2,5\n"), delimiter=";").feature_names == ("a", "b,c=2,5")


def test_columns_can_be_left_out_or_taken_as_text(write: Any) -> None:
    path = write("id,zip,y\n1,8001,0.5\n2,3000,1.5\n3,8001,2.5\n")
    table = load_csv(path, target="y", ignore=["id"], text_columns=["zip"])
    assert table.feature_names == ("zip=3000", "zip=8001")
    assert table.X.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_numbered_columns_are_a_header(write: Any) -> None:
    assert load_csv(write("0,1\n5,6\n")).X.tolist() == [[5, 6]]


cell_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8).map(
    lambda text: "t" + text.strip()
)


@given(
    rows=st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), cell_texts, st.integers(-(2**53), 2**53)),
        min_size=1,
        max_size=20,
    ),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], delimiter: str, quoting: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
        writer.writerow(["number", "text", "whole"])
        writer.writerows(rows)
    table = load_csv(path, dtype="float64")
    numbers, texts, wholes = zip(*rows, strict=True)
    np.testing.assert_array_equal(table.X[:, 0], numbers)
    np.testing.assert_array_equal(table.X[:, -1], wholes)
    categories = sorted({text.strip() for text in texts})
    assert table.feature_names == ("number", *(f"text={category}" for category in categories), "whole")
    hot = table.X[:, 1:-1]
    assert ((hot == 0) | (hot == 1)).all()
    assert (hot.sum(axis=1) == 1).all()
    assert [categories[i] for i in hot.argmax(axis=1)] == [text.strip() for text in texts]
    again = TableEncoder.from_json(json.loads(json.dumps(table.encoder.to_json())))
    np.testing.assert_array_equal(again.transform(path, dtype="float64"), table.X)


# --------------------------------------------------------------------------------------------------
# The task
# --------------------------------------------------------------------------------------------------


def column(values: list[Any]) -> str:
    return "x,y\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "classes", "labels"),
    [
        (["dog", "cat", "dog"], ("cat", "dog"), [1, 0, 1]),
        (["True", "False"], ("False", "True"), [1, 0]),
        ([0, 1, 1, 0], (0, 1), [0, 1, 1, 0]),
        ([7, -1, 7, -1, 3, 3], (-1, 3, 7), [2, 0, 2, 0, 1, 1]),
        (["1.0", "2.0", "2", "1"], (1, 2), [0, 1, 1, 0]),
        (list(range(20)) * 2, tuple(range(20)), list(range(20)) * 2),
    ],
)
def test_texts_and_few_whole_numbers_are_classes(write: Any, values: Any, classes: Any, labels: Any) -> None:
    table = load_csv(write(column(values)), target="y")
    assert (table.task, table.classes) == ("classification", classes)
    assert [type(label) for label in table.classes] == [type(label) for label in classes]
    assert table.y.tolist() == labels
    assert table.y.dtype == np.int64


@pytest.mark.parametrize(
    "values",
    [
        [0.5, 0.5, 1, 1],  # not whole
        [1, 2, 3],  # every value once
        [1, 1, 2, 2, 3],  # 5 rows for 3 values
        list(range(21)) * 3,  # more than 20
        [3, 3, 3, 3.5],
    ],
)
def test_other_numbers_are_a_regression(write: Any, values: list[float]) -> None:
    table = load_csv(write(column(values)), target="y")
    assert (table.task, table.classes) == ("regression", None)
    np.testing.assert_array_equal(table.y, np.array(values, dtype=np.float32))
    assert table.y.dtype == np.float32


def test_the_task_can_be_named(write: Any) -> None:
    path = write(column([0, 1, 1, 0]))
    assert load_csv(path, target="y", task="regression").y.tolist() == [0.0, 1.0, 1.0, 0.0]
    path = write(column([1.5, 0.5, 2.5]))
    table = load_csv(path, target="y", task="classification")
    assert (table.classes, table.y.tolist()) == ((0.5, 1.5, 2.5), [1, 0, 2])
    path = write(column([10, 9, 10]))
    table = load_csv(path, target="y", text_columns=["y"])
    assert (table.classes, table.y.tolist()) == (("10", "9"), [0, 1, 0])


# --------------------------------------------------------------------------------------------------
# What is refused
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells, but the header has 2"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4: 3 cells, but the header has 2"),
        ('a,b\n"1\n\n1",2\n3\n', "line 5: 1 cells"),
        ("a,b,a\n1,2,3\n", "two columns are called 'a'"),
        ("a, a\n1,2\n", "two columns are called 'a'"),
        ("a,,c\n1,2,3\n", "column 2 has no name"),
        ("1.5,2\n3,4\n", "only numbers"),
        ("a,b\n1,\n", "line 2, column 'b': the value is missing"),
        ("a,b\n1,x\n2,\n", "line 3, column 'b': the value is missing"),
        ("a,b\n1,x\nNA,x\n", "line 3, column 'a': the value is missing ('NA')"),
        ("a,b\n1,x\nnan,x\n", "line 3, column 'a': the value is missing ('nan')"),
        ("a,b\n?,1\n2,1\n3,1\n", "line 2, column 'a': the value is missing ('?')"),
        ("a,b\n1,x\ninf,x\n", "line 3, column 'a': 'inf' is not a finite number"),
        ("a,b\n1,x\n-1e999,x\n", "line 3, column 'a': '-1e999' is not a finite number"),
        ("a,b\n1,x\n1e39,x\n", "line 3, column 'a': '1e39' is too large for float32"),
        ("a,b\n1,x\n2,x\n3o,x\n", "line 4, column 'a': '3o' is not a number, but 2 of the 3 values are"),
        ("a;b\n1,5;x\n2;x\n3;x\n", "line 2, column 'a': '1,5' is not a number, but 2 of the 3"),
        ("a,b\n1_000,x\n2,x\n3,x\n", "line 2, column 'a': '1_000' is not a number"),
        ('a,b\n1,"x\n2,y\n', "line 2: not CSV"),
        ('a,b\n1,"x"y\n', "line 2: not CSV"),
        (b"a,b\n1,caf\xe9\n", "line 2: not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1: not UTF-8"),
        ("a,b;c\n1,2;3\n", "name the delimiter"),
    ],
)
def test_a_bad_table_is_refused_with_the_place(write: Any, text: str | bytes, message: str) -> None:
    path = write(text)
    with pytest.raises(ValueError, match=r"table\.csv") as caught:
        load_csv(path)
    assert message in str(caught.value)


def test_text_columns_may_say_na(write: Any) -> None:
    table = load_csv(write("country,n\nNA,1\nCH,2\n"))
    assert table.feature_names == ("country=CH", "country=NA", "n")


def test_codes_with_a_few_numbers_are_text(write: Any) -> None:
    assert load_csv(write("code\n3A\n3B\n7\n")).feature_names == ("code=3A", "code=3B", "code=7")
    path = write("code\n3A\n6\n7\n")
    with pytest.raises(ValueError, match=r"text_columns=\['code'\]"):
        load_csv(path)
    assert load_csv(path, text_columns=["code"]).feature_names == ("code=3A", "code=6", "code=7")


def test_too_many_categories_are_refused(write: Any) -> None:
    path = write("name,n\n" + "".join(f"name {i},{i}\n" for i in range(257)))
    with pytest.raises(ValueError, match=r"'name': 257 distinct texts.*max_categories=256.*ignore=\['name'\]"):
        load_csv(path)
    assert load_csv(path, ignore=["name"]).X.shape == (257, 1)
    assert load_csv(path, max_categories=257).X.shape == (257, 258)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "rent"}, "target has 'rent'.*'area', 'city', 'price'"),
        ({"ignore": ["rent"]}, "ignore has 'rent'.*'area', 'city', 'price'"),
        ({"text_columns": ["rent"]}, "text_columns has 'rent'.*'area', 'city', 'price'"),
        ({"target": "price", "ignore": ["price"]}, "both the target and in ignore"),
        ({"target": "price", "ignore": ["area", "city"]}, "no column is left"),
        ({"target": "city", "task": "regression"}, "'city' is a text"),
        ({"target": "price", "task": "ranking"}, "'classification', 'regression'"),
        ({"dtype": "float16"}, "'float32' or 'float64'"),
        ({"delimiter": ""}, "one character"),
        ({"delimiter": '"'}, "one character"),
    ],
)
def test_a_bad_option_is_refused_with_what_is_taken(write: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_csv(write(HOMES), **options)


@pytest.mark.parametrize("argument", ["ignore", "text_columns"])
def test_a_text_is_no_list_of_columns(write: Any, argument: str) -> None:
    """Though each of its letters may be one."""
    with pytest.raises(TypeError, match=f"{argument} is 'ab'; it takes a list of names"):
        load_csv(write("a,b,c\n1,2,3\n"), **{argument: "ab"})


@pytest.mark.parametrize("values", [["cat", "cat"], [3, 3]])
def test_a_single_class_is_refused(write: Any, values: list[Any]) -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        load_csv(write(column(values)), target="y")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_csv(tmp_path / "nothing.csv")


# --------------------------------------------------------------------------------------------------
# The encoder
# --------------------------------------------------------------------------------------------------


def test_another_table_is_encoded_alike(write: Any) -> None:
    encoder = load_csv(write(HOMES), target="price").encoder
    other = write("owner;city;area\nAnna;Basel;7\nBeat;Bern;8\n", "other.csv")
    np.testing.assert_array_equal(encoder.transform(other), [[7, 1, 0], [8, 0, 1]])
    rows = [{"area": 7, "city": "Basel"}, {"city": " Bern ", "area": "8"}]
    np.testing.assert_array_equal(encoder.transform(rows), [[7, 1, 0], [8, 0, 1]])
    assert encoder.transform(rows).dtype == np.float32
    assert encoder.transform(rows, dtype="float64").dtype == np.float64


def test_a_target_is_encoded_alike(write: Any) -> None:
    encoder = load_csv(write(HOMES), target="price").encoder
    assert encoder.transform_target([{"price": 3}, {"price": 0.5}]).tolist() == [3.0, 0.5]
    animals = load_csv(write(column(["dog", "cat"])), target="y").encoder
    assert animals.transform_target([{"y": "cat"}, {"y": "dog"}, {"y": "dog"}]).tolist() == [0, 1, 1]
    digits = load_csv(write(column([7, -1, 7, -1])), target="y").encoder
    labels = digits.transform_target([{"y": 7}, {"y": "7.0"}, {"y": -1}])
    assert labels.tolist() == [1, 1, 0]
    assert labels.dtype == np.int64
    unsorted = TableEncoder((), Target("y", (7, -1, 3)))
    assert unsorted.transform_target([{"y": -1}, {"y": 3}, {"y": 7}]).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("area,city\n1,Bern\n2,Paris\n", "other.csv, line 3, column 'city': 'Paris'.*'Basel', 'Bern'"),
        ("area,city\n1,\n", "other.csv, line 2, column 'city': the value is missing"),
        ("area,city\nbig,Bern\n", "other.csv, line 2, column 'area': 'big' is not a number"),
        ("area,town\n1,Bern\n", "other.csv has no column 'city'; it has 'area', 'town'"),
        ([{"area": 1, "city": "Bern"}, {"area": 1, "city": "Paris"}], "rows, row 1, column 'city': 'Paris'"),
        ([{"area": None, "city": "Bern"}], "rows, row 0, column 'area': the value is missing"),
        ([{"area": math.nan, "city": "Bern"}], "rows, row 0, column 'area': the value is missing"),
        ([{"area": True, "city": "Bern"}], "rows, row 0, column 'area': 'True' is not a number"),
        ([{"area": 1}], "no column 'city'"),
        ([{"area": 1, "city": "Bern"}, {"area": 1}], r"rows\[1\] has the columns 'area'; rows\[0\] has"),
        ([], "rows: got none"),
    ],
)
def test_what_does_not_fit_the_encoding_is_refused_with_the_place(write: Any, source: Any, message: str) -> None:
    encoder = load_csv(write(HOMES), target="price").encoder
    with pytest.raises(ValueError, match=message):
        encoder.transform(write(source, "other.csv") if isinstance(source, str) else source)


@pytest.mark.parametrize("source", [{"area": 1, "city": "Bern"}, iter([]), 5])
def test_what_is_no_table_is_refused(write: Any, source: Any) -> None:
    encoder = load_csv(write(HOMES), target="price").encoder
    with pytest.raises(TypeError, match=f"source: got {type(source).__name__}; it takes the path of a CSV file, or a"):
        encoder.transform(source)


def test_a_class_that_was_not_there_is_refused(write: Any) -> None:
    digits = load_csv(write(column([7, -1, 7, -1])), target="y").encoder
    with pytest.raises(ValueError, match="row 1, column 'y': 3 is not among the classes: -1, 7"):
        digits.transform_target([{"y": 7}, {"y": 3}])
    animals = load_csv(write(column(["dog", "cat"])), target="y").encoder
    with pytest.raises(ValueError, match=r"'cow'.*'cat', 'dog'"):
        animals.transform_target([{"y": "cow"}])
    with pytest.raises(ValueError, match="without a target"):
        load_csv(write(HOMES)).encoder.transform_target([{"price": 1}])


def test_rows_that_are_no_mappings_are_refused(write: Any) -> None:
    encoder = load_csv(write(HOMES), target="price").encoder
    with pytest.raises(TypeError, match=r"rows\[0\].*mapping"):
        encoder.transform([[80, "Bern"]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "encoder",
    [
        TableEncoder((Column("a"), Column("b", ("x", "y")))),
        TableEncoder((Column("a"),), Target("t")),
        TableEncoder((Column("a"),), Target("t", ("no", "yes"))),
        TableEncoder((Column("a"),), Target("t", (-1, 0, 7))),
        TableEncoder((Column("a"),), Target("t", (0.5, 1.5))),
    ],
)
def test_the_encoder_survives_json(encoder: TableEncoder) -> None:
    again = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again == encoder
    if encoder.target is not None and encoder.target.classes is not None:
        assert again.target is not None
        assert again.target.classes is not None
        assert [type(c) for c in again.target.classes] == [type(c) for c in encoder.target.classes]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        {},
        {"columns": []},
        {"columns": {}, "target": None},
        {"columns": [], "target": None, "more": 1},
        {"columns": ["a"], "target": None},
        {"columns": [{"name": "a"}], "target": None},
        {"columns": [{"name": 1, "categories": None}], "target": None},
        {"columns": [{"name": "", "categories": None}], "target": None},
        {"columns": [{"name": "a", "categories": []}], "target": None},
        {"columns": [{"name": "a", "categories": "xy"}], "target": None},
        {"columns": [{"name": "a", "categories": [1, 2]}], "target": None},
        {"columns": [{"name": "a", "categories": ["x", "x"]}], "target": None},
        {"columns": [{"name": "a", "categories": None}] * 2, "target": None},
        {"columns": [{"name": "a", "categories": None}], "target": {"name": "a", "classes": None}},
        {"columns": [], "target": {"name": "a"}},
        {"columns": [], "target": {"name": "a", "classes": [True, False]}},
        {"columns": [], "target": {"name": "a", "classes": ["x", 1]}},
        {"columns": [], "target": {"name": "a", "classes": [math.nan]}},
        {"columns": [], "target": {"name": "a", "classes": [math.inf, 1]}},
        {"columns": [], "target": {"name": "a", "classes": [[1], [2]]}},
    ],
)
def test_json_that_is_no_encoder_is_refused(data: Any) -> None:
    with pytest.raises(FileFormatError, match="encoder"):
        TableEncoder.from_json(data)


def test_pandas_agrees(write: Any) -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "size": rng.normal(size=50),
            "color": rng.choice(["red", "green", "blue"], size=50),
            "count": rng.integers(0, 1000, size=50),
        }
    )
    path = write(frame.to_csv(index=False))
    table = load_csv(path, dtype="float64")
    expected = pandas.get_dummies(frame, prefix_sep="=")[list(table.feature_names)]
    np.testing.assert_array_equal(table.X, expected.to_numpy(dtype=np.float64))
    np.testing.assert_array_equal(table.encoder.transform(frame.to_dict("records"), dtype="float64"), table.X)


@pytest.mark.parametrize("cells", [list("0123456789"), ["-1.2345", "0.9876", "3.1416"], ["red", "green", "blue"]])
def test_loading_takes_the_result_and_twice_the_file(cells: list[str], tmp_path: Path) -> None:
    """A cell as a Python text is 50 bytes or more, in place of two; only so many are there at once."""
    picked = np.random.default_rng(0).choice(cells, size=(20_000, 10))
    path = tmp_path / "cells.csv"
    path.write_text("a,b,c,d,e,f,g,h,i,j\n" + "".join(",".join(row) + "\n" for row in picked.tolist()))
    tracemalloc.start()
    try:
        table = load_csv(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if cells[0] != "red":
        np.testing.assert_array_equal(table.X, picked.astype(np.float32))
    assert peak < table.X.nbytes + 2 * path.stat().st_size + 2**20


def test_cells_are_kept_as_they_are(tmp_path: Path) -> None:
    """Whatever separates the cells where they are kept."""
    cells = [f"{'x' * (i % 3)}" for i in range(20_000)]
    (tmp_path / "cells.csv").write_text("a,b\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells)))
    columns = read_records(tmp_path / "cells.csv").columns
    assert list(columns["a"]) == cells
    assert [int(columns["b"][i]) for i in (0, 1, 8_191, 8_192, 19_999, -1)] == [0, 1, 8_191, 8_192, 19_999, 19_999]
    kept = Cells(2)
    for block in (["a\0b", "c"], ["", ""], [""]):
        kept.add(block)
    assert list(kept) == ["a\0b", "c", "", "", ""]
    assert (kept[0], kept[4], len(kept), "c" in kept, "a" in kept) == ("a\0b", "", 5, True, False)
