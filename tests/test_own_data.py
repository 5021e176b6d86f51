"""What people bring: tables, points, pictures; what is malformed is told with its place."""

import io
import json
import struct
import zipfile
import zlib
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.data import load, own, own_images, own_points, sheet
from engine.data.prepare import Plan, made

ROWS = 40
TABLE = "height,colour,weight,species\n" + "".join(
    f"{150 + n},{['red', 'blue', ''][n % 3]},{'' if n % 8 == 5 else 50 + n * n},{'ab'[n % 2]}\n"
    for n in range(ROWS)
)


def plan(**chosen):
    return made(TABLE.encode(), "mine", Plan.of(chosen))


def asked(words, **chosen):
    """A data set's name with settings, as the page writes it."""
    plain = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in chosen.items()}
    return f"{words}?{urlencode(plain)}"


def test_a_table_is_told_column_by_column_before_anything_is_made_of_it(home):
    told = own.survey(own.keep(TABLE.encode()))
    height, colour, weight, species = told["columns"]
    assert told["rows"] == ROWS
    assert (height["use"], colour["use"], species["use"]) == ("number", "category", "category")
    assert height["range"] == [150, 189]
    assert weight["missing"] == 5
    assert colour["missing"] == 13
    assert colour["levels"] == [["red", 14], ["blue", 13]]
    assert told["preview"][1] == {"height": "151", "colour": "blue", "weight": "51", "species": "b"}


@pytest.mark.parametrize(
    ("way", "number"), [("mean", np.mean), ("median", np.median), ("most frequent", np.min)]
)
def test_a_missing_number_is_filled_from_the_training_rows_alone(way, number):
    data = plan(missing={"weight": way}, scale="none")
    weights = {150 + n: 50 + n * n for n in range(ROWS) if n % 8 != 5}
    height, weight = data.features.index("height"), data.features.index("weight")
    learnt = [weights[int(row[height])] for row in data.train_x if int(row[height]) in weights]
    everything = torch.cat([data.train_x, data.valid_x])
    gaps = [float(row[weight]) for row in everything if int(row[height]) not in weights]
    assert gaps == pytest.approx([number(learnt)] * 5, rel=1e-6)  # of different ones the lowest
    assert f"5 missing numbers of weight set to its {way}" in data.note


def test_rows_with_gaps_are_dropped_only_when_asked_and_told():
    assert len(plan().train_x) + len(plan().valid_x) == ROWS
    data = plan(missing={"weight": "drop rows", "colour": "drop rows"})
    left = sum(n % 8 != 5 and n % 3 != 2 for n in range(ROWS))
    assert len(data.train_x) + len(data.valid_x) == left
    assert "5 rows without weight left out" in data.note
    assert "13 rows without colour left out" in data.note


def test_missing_words_become_a_category_or_the_most_frequent_one():
    assert "colour = missing" in plan().features
    data = plan(missing={"colour": "most frequent"})
    assert [name for name in data.features if "colour" in name] == ["colour = blue", "colour = red"]
    assert "missing words of colour" in data.note


def test_a_column_is_taken_for_what_the_visitor_says():
    data = plan(uses={"height": "ignore", "weight": "category", "colour": "ignore"})
    assert all(name.startswith("weight = ") for name in data.features)
    assert "height left out" in data.note
    assert plan(target="height").task == "regression"


@pytest.mark.parametrize(("scale", "low", "high"), [("range", 0, 1), ("none", 150, 189)])
def test_columns_are_scaled_as_asked(scale, low, high):
    data = plan(scale=scale, uses={"weight": "ignore", "colour": "ignore"}, valid=0, seed=3)
    x = data.train_x[:, 0]
    spare = 0.06 if scale == "range" else 2  # the row that judges may have the end
    assert abs(float(x.min()) - low) <= spare
    assert abs(float(x.max()) - high) <= spare


def test_a_table_is_cut_in_three_and_scaled_by_the_first_part():
    data = plan(valid=0.25, test=0.25, uses={"weight": "ignore", "colour": "ignore"})
    assert (len(data.train_x), len(data.valid_x), len(data.test_x)) == (20, 10, 10)
    assert float(data.train_x.mean()) == pytest.approx(0, abs=1e-5)
    rows = torch.cat([data.train_x, data.valid_x, data.test_x])[:, 0]
    assert len(rows.unique()) == ROWS  # every row is somewhere, once


def test_a_plan_is_asked_for_in_the_name(home):
    words = own.keep(TABLE.encode())
    data = load(asked(words, uses={"colour": "ignore"}, missing={"weight": "median"}, test=0.2))
    assert data.features == ("height", "weight")
    assert len(data.test_x) == 8
    with pytest.raises(ValueError, match="no setting 'mising'; did you mean 'missing'"):
        load(asked(words, mising="x"))
    with pytest.raises(ValueError, match="uses must give each column one of"):
        load(asked(words, uses={"height": "pickle"}))
    with pytest.raises(ValueError, match=r"uses must be a column: .*got 'heigth'"):
        load(asked(words, uses={"heigth": "ignore"}))


def test_a_slip_in_a_column_of_numbers_is_told_or_counted_as_missing(home):
    text = TABLE.replace("\n155,", "\nabout 155,", 1)
    words = own.keep(text.encode())
    told = own.survey(words)["columns"][0]
    assert told["odd"] == ["line 7, column 'height': 'about 155'"]
    with pytest.raises(ValueError, match="line 7, column 'height': must be a number like the oth"):
        load(words)
    assert "1 missing numbers of height set to its mean" in load(f"{words}?unread=true").note


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least 2 columns"),
        ("a\n1\n", "at least 2 columns"),
        ("a,b\n1,2\n", "at least 10 rows under the names; got 1"),
        ("a,b\n" + "1,2\n" * 5 + "1\n" + "1,2\n" * 9, "line 7: must have 2 cells as line 1; got 1"),
        ("a,\n" + "1,2\n" * 12, "line 1: column 2 has no name"),
        ('a,b\n"1,2\n' + "1,2\n" * 12, "line 14: unexpected end of data"),
        ("a,b\n1,\0\n" + "1,2\n" * 12, "line 2: must hold no zero bytes"),
        (",".join("c" * 501) + "\n", "line 1: the table must have at most 500 columns; got 501"),
    ],
)
def test_what_is_no_table_is_told_with_its_line(text, words):
    with pytest.raises(ValueError, match=words):
        sheet.parse(text.encode())


def test_a_line_is_counted_in_the_file_though_empty_lines_are_passed_over():
    text = "a,b\n\n" + "1,x\n" * 9 + "\nwrong,y\n" + "2,y\n" * 20
    with pytest.raises(ValueError, match="line 13, column 'a': must be a number"):
        own.read(text.encode(), "mine")


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(st.lists(st.text(max_size=6), max_size=4), max_size=14).map(
            lambda rows: "\n".join(",".join(row) for row in rows).encode()
        ),
    )
)
def test_the_reader_gives_a_whole_table_or_a_sentence(content):
    try:
        found = sheet.parse(content)
    except ValueError:
        return
    assert len({len(row) for row in found.rows}) == 1
    assert len(found.lines) == len(found.rows) >= sheet.FEWEST_ROWS


def parquet(**columns):
    import pyarrow as arrow
    from pyarrow import parquet as form

    file = io.BytesIO()
    form.write_table(arrow.table(columns), file)
    return file.getvalue()


def test_parquet_is_read_like_the_same_table_in_csv(home):
    content = parquet(
        height=[1.5 + n for n in range(20)],
        colour=[None if n == 4 else "rb"[n % 2] for n in range(20)],
        tall=[n > 10 for n in range(20)],
    )
    data = load(own.keep(content))
    assert data.classes == ("False", "True")
    assert data.features == ("height", "colour = b", "colour = missing", "colour = r")
    text = own.keep(sheet.from_parquet(content))
    assert torch.equal(load(text).train_x, data.train_x)


def test_parquet_that_is_damaged_nested_or_too_long_is_told(monkeypatch):
    content = parquet(a=list(range(20)), b=[[1, 2]] * 20)
    with pytest.raises(ValueError, match="column 'b': must hold plain values; got list"):
        sheet.parse(content)
    with pytest.raises(ValueError, match="Parquet file is corrupt"):
        sheet.parse(content[:-20])
    monkeypatch.setattr(sheet, "MOST_ROWS", 10)
    with pytest.raises(ValueError, match="at most 10 rows and 500 columns; got 20 and 3"):
        sheet.parse(parquet(a=list(range(20)), b=list(range(20)), c=list(range(20))))


POINTS = "".join(f"{n / 10}, {n % 7}, {'red' if n % 2 else 'blue'}\n" for n in range(30))


def test_pasted_points_are_scaled_into_the_plane_and_told(home):
    told = own_points.read("x, y, class\n" + POINTS)
    assert told["names"] == ["blue", "red"]
    assert told["points"][3] == [0.3, 3.0, 1]
    data = load(own_points.keep(told["points"], told["names"]))
    everything = torch.cat([data.train_x, data.valid_x])
    assert float(everything.abs().max()) == pytest.approx(1.3)
    assert data.kind == "plane"
    assert "scaled by" in data.note
    span = everything.max(0).values - everything.min(0).values
    assert float(span[0] / span[1]) == pytest.approx(2.9 / 6, rel=1e-5)  # both axes alike


@pytest.mark.parametrize(
    "text", ["0,5\t1,5\tA", "0.5;1.5;A", "0.5 1.5 A", "0,5 1,5 A", "0.5, 1.5, A"]
)
def test_points_are_parted_by_whatever_people_use(text):
    told = own_points.read(f"{text}\n2 2 B\n" * 6)
    assert told["points"][0] == [0.5, 1.5, 0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.3, 3, red", "0.3, x, red", "line 4, column 2: must be a number; got 'x'"),
        ("0.3, 3, red", "0.3, 3", "line 4: must be x, y and a class; got 2 columns"),
        ("0.3, 3, red", "0.3, nan, red", "line 4, column 2: must be a number; got 'nan'"),
        ("blue", "red", r"of 2 to 10 classes; got 1 \(red\)"),
        (POINTS, "1 2 A\n1 2 B\n", "at least 10 points to learn from; got 2"),
    ],
)
def test_malformed_points_are_told_with_line_and_column(old, new, words):
    with pytest.raises(ValueError, match=words):
        own_points.read(POINTS.replace(old, new))


def test_drawn_points_stay_where_they_were_drawn(home):
    random = np.random.default_rng(0)
    points = [[*random.uniform(-1.2, 1.2, 2), n % 3] for n in range(60)]
    data = load(own_points.keep(points, ["A", "B", "C"]))
    drawn = {(np.float32(x), np.float32(y)) for x, y, _ in points}
    assert {tuple(row.numpy()) for row in torch.cat([data.train_x, data.valid_x])} == drawn
    assert data.classes == ("A", "B", "C")
    for wrong in ([[0, 0]], [[0, 0, 9]], [[0, float("inf"), 0]]):
        with pytest.raises(ValueError, match="point 1"):
            own_points.keep(wrong * 20, ["A", "B"])
    with pytest.raises(LookupError, match="draw or paste them again"):
        load("points:../../etc/passwd")


def image(colour, size=(40, 30), form="PNG"):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, form)
    return file.getvalue()


def zipped(files, **how):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def pets(count=6):
    return {
        f"pets/{name}/{n}.{form.lower()}": image(colour, form=form)
        for name, colour in (("cat", (250, 0, 0)), ("dog", (0, 0, 250)))
        for n, form in zip(range(count), ["PNG", "JPEG"] * count, strict=False)
    }


def test_a_zip_of_pictures_by_class_becomes_a_data_set(home):
    content = zipped({**pets(), "__MACOSX/pets/cat/._1.png": b"?", "pets/.DS_Store": b"?"})
    told = own_images.look(content)
    assert told == {"classes": {"cat": 6, "dog": 6}, "bad": [], "bad_in_all": 0, "passed": 2}
    data = load(own_images.keep(content, side=16))
    assert data.classes == ("cat", "dog")
    assert data.train_x.shape == (10, 3, 16, 16)
    assert data.valid_x.shape == (2, 3, 16, 16)
    red = data.train_x[data.train_y == 0]
    assert float(red[:, 0].min()) > 0.95  # cats are red
    assert float(red[:, 2].max()) < 0.05
    grey = load(own_images.keep(pets(), side=8, colour=False))
    assert grey.shape == (1, 8, 8)


def test_pictures_that_cannot_be_read_are_told_by_name_and_left_out_only_when_asked(home):
    files = {**pets(), "pets/cat/readme.txt": b"hello", "lonely.png": image((1, 2, 3))}
    files["pets/dog/half.png"] = image((9, 9, 9))[:60]
    told = own_images.look(files)
    assert told["bad"] == [
        ["lonely.png", "stands in no folder, so its class is not known"],
        ["pets/cat/readme.txt", "is no picture: it must be PNG, JPEG, BMP, GIF or WebP"],
        ["pets/dog/half.png", "is damaged: it must be PNG, JPEG, BMP, GIF or WebP"],
    ]
    with pytest.raises(ValueError, match=r"3 files cannot be read: lonely.png: .*readme.txt"):
        own_images.keep(files)
    data = load(own_images.keep(files, leave_out=True))
    assert "3 files that could not be read were left out" in data.note


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({f"a/{n}.png": image((1, 1, 1)) for n in range(9)}, r"2 to 100 classes.*got 1 \(a\)"),
        ({"a/1.png": image((1, 1, 1)), "b/1.png": image((1, 1, 1))}, "at least 8 pictures; got 2"),
    ],
)
def test_too_little_to_learn_from_is_told(files, words):
    with pytest.raises(ValueError, match=words):
        own_images.keep(files)


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(monkeypatch):
    flat = zipped({"a/1.png": bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)
    many = zipped({f"a/{n}.png": b"x" for n in range(4)})

    def never(*_, **__):
        raise AssertionError("something was unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", never)
    with pytest.raises(ValueError, match=r"unpacks to .* times its size"):
        own_images.look(flat)
    monkeypatch.setattr(own_images, "LARGEST_UNPACKED", 1000)
    with pytest.raises(ValueError, match=r"must unpack to at most 1,000 bytes; it says 5,000,000"):
        own_images.look(flat)
    monkeypatch.setattr(own_images, "MOST_FILES", 3)
    with pytest.raises(ValueError, match="at most 3 files; got 4"):
        own_images.look(many)


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "a/../../b.png", "C:/x/y.png"]
)
def test_a_name_that_leads_out_of_the_zip_is_refused(name):
    with pytest.raises(ValueError, match="leads out of the zip"):
        own_images.look(zipped({name: b"x"}))


def test_a_zip_that_lies_about_its_sizes_or_is_none_is_told():
    content = bytearray(zipped({"a/1.png": image((1, 1, 1)), "b/2.png": image((2, 2, 2))}))
    where = content.rindex(b"PK\x01\x02")  # the last entry of the list
    struct.pack_into("<I", content, where + 24, 5)  # says it unpacks to 5 bytes
    with pytest.raises(ValueError, match="zip is corrupt"):
        own_images.look(bytes(content))
    with pytest.raises(ValueError, match="zip is corrupt"):
        own_images.look(b"PK\x03\x04 no zip")


@pytest.mark.parametrize(("side", "words"), [(6_000, "has 6000 x 6000"), (30_000, "has more than")])
def test_a_picture_of_too_many_pixels_is_never_decoded(side, words):
    chunk = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    body = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(ValueError, match=words):
        own_images.picture(b"\x89PNG\r\n\x1a\n" + head + body, 32, colour=True)


def test_pictures_are_read_back_without_pickle(home, monkeypatch):
    words = own_images.keep(pets())
    seen = {}
    real = np.load

    def watched(*where, **how):
        seen.update(how)
        return real(*where, **how)

    monkeypatch.setattr(np, "load", watched)
    load(words)
    assert seen["allow_pickle"] is False
    with pytest.raises(LookupError, match="upload them again"):
        load("images:../../etc/passwd")


def test_the_split_of_pictures_is_chosen_like_that_of_any_data(home):
    data = load(own_images.keep(pets(10)) + "?valid=0.3&test=0.2")
    assert (len(data.train_x), len(data.valid_x), len(data.test_x)) == (10, 6, 4)
