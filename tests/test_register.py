"""Tables as offices export them: read, recognised, cleaned, and refused in one clear message."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from register_parts import hostile, italian
from typer.testing import Result

from district_sim.register import phase_files, values
from district_sim.register.cleaning import Clean
from district_sim.register.columns import proposal, proposed
from district_sim.register.district import open_tables, tidied
from district_sim.register.sources import read
from district_sim.register.twin import twin, with_pseudonyms
from district_sim.reports.district_import import recognised
from district_sim.scenario.files import ScenarioError

HEADERS = {
    "English": "firm id,number of employees,latitude,longitude,NACE code,business group,sales,year founded",
    "Italian": "codice fiscale,addetti,latitudine,longitudine,codice ATECO,gruppo,ricavi,anno di costituzione",
    "Spanish": "NIF,número de empleados,latitud,longitud,código CNAE,grupo,facturación,año de fundación",
    "German": "Firmennummer,Anzahl Beschäftigte,Breitengrad,Längengrad,Wirtschaftszweig,Konzern,Umsatz,Gründungsjahr",
    "French": "SIREN,effectifs,latitude,longitude,code NAF,groupe,chiffre d'affaires,année de création",
}
SIMPLE = "id,employees\n" + "".join(f"F{i},{i + 1}\n" for i in range(12))


def cleaned(firms: Any, ties: Any = None, columns: Any = None, **how: Any) -> Clean:
    return tidied(open_tables(firms, ties, columns), how.get("phases"), how.get("start"), how.get("strict", False))


def frame(**columns: Any) -> pd.DataFrame:
    """Twelve firms with one employee and more."""
    return pd.DataFrame({"id": [f"F{i}" for i in range(12)], "employees": range(1, 13)} | columns)


# Reading ------------------------------------------------------------------------------------------


def test_the_hostile_table_is_read_and_every_dirty_row_is_told(tmp_path: Path) -> None:
    clean = cleaned(*hostile(tmp_path))
    assert len(clean.firms) == 394
    assert clean.ties is not None
    assert len(clean.ties) == 1484 or len(clean.ties) < 1494  # some pairs trade both ways
    told = {one.place: one for one in clean.problems}
    for line in range(392, 402):
        assert f"imprese.csv, line {line}" in told
    for line in range(1496, 1502):
        assert f"ordini.csv, line {line}" in told
    assert "first in line 5" in told["imprese.csv, line 394"].text
    assert sum(one.rejected for one in clean.problems) == 6 + 5
    row = clean.firms.set_index("id").loc["IT00000"]
    lines = (tmp_path / "imprese.csv").read_text(encoding="utf-8-sig").splitlines()
    assert italian(float(row["employees"]), 0) == lines[1].split(";")[-8]
    assert clean.start == (2002, 0)
    assert clean.units == {"turnover": "kEUR a year", "education": "percent", "value": "kEUR a year"}
    assert 0.0 < clean.firms["education"].max() < 1.0
    assert np.hypot(clean.firms["x"], clean.firms["y"]).max() < 30.0


def test_every_row_is_a_firm_or_is_told(tmp_path: Path) -> None:
    clean = cleaned(*hostile(tmp_path))
    left_out = {one.place for one in clean.rejected if one.place.startswith("imprese")}
    assert len(clean.firms) + len(left_out) == clean.read["firms"]


@pytest.mark.parametrize("language", HEADERS)
def test_columns_are_recognised_in_five_languages(language: str) -> None:
    columns = HEADERS[language].split(",")
    found, _ = proposed("firms", columns)
    wanted = ["id", "employees", "lat", "lon", "phase", "group", "turnover", "founded"]
    assert [found.get(variable) for variable in wanted] == columns


def test_words_of_registers_are_recognised() -> None:
    """AIDA and Orbis write unit and year into the header."""
    columns = [
        "Ragione sociale", "BvD ID number", "Numero dipendenti\nUltimo anno disp.",
        "Ricavi delle vendite\nmigl EUR\nUltimo anno disp.", "ATECO 2007\ncodice", "Number of patents",
    ]  # fmt: skip
    found, reasons = proposed("firms", columns)
    assert found["id"] == columns[1]
    assert found["employees"] == columns[2]
    assert found["turnover"] == columns[3]
    assert found["phase"] == columns[4]
    assert found["patents"] == columns[5]
    assert "begins with" in reasons["turnover"]


def test_what_is_not_recognised_is_not_guessed() -> None:
    assert proposed("firms", ["Unnamed", "foo", "Colour", "latitude"])[0] == {}, "a latitude alone is no place"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_delimiters_and_encodings(delimiter: str, encoding: str, tmp_path: Path) -> None:
    rows = [["Società", "Addetti", "Ricavi (kEUR)"], *([f"Caffè {i}", str(i + 1), f"{i},5"] for i in range(12))]
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    path = tmp_path / "t.csv"
    path.write_bytes("\r\n".join(delimiter.join(row) for row in quoted).encode(encoding))
    clean = cleaned(path, columns={"id": "Società"})
    assert clean.firms["id"].tolist() == [f"Caffè {i}" for i in range(12)]
    assert clean.firms["turnover"].tolist() == pytest.approx([(i + 0.5) / 4 for i in range(12)])


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """A header and a cell with line breaks, and blank lines, do not shift them."""
    path = tmp_path / "t.csv"
    body = 'F0,1,"two\nlines"\n\n' + "".join(f"F{i},{i},x\n" for i in range(1, 12)) + "F1,3,x\n"
    path.write_text(f'id,"number of\nemployees",note\n{body}')
    (problem,) = cleaned(path).problems
    assert problem.place == "t.csv, line 17"
    assert path.read_text().splitlines()[16] == "F1,3,x"


@pytest.mark.parametrize("title", ["Estratto da AIDA, il 12.03.2024", "Prato;;", "Prato;;\n;;"])
def test_a_title_above_the_header_of_a_csv(title: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"F{i};{i + 1};{i},5\n" for i in range(12)) + "F1;1;1\n"
    path.write_text(f"{title}\n\nid;addetti;ricavi\n{rows}")
    clean = cleaned(path)
    assert clean.firms["employees"].tolist() == list(range(1, 13))
    assert clean.problems[0].place == f"t.csv, line {len(path.read_text().splitlines())}"


def test_a_dry_run_tells_the_phases_and_the_start(call: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(SIMPLE)
    done = call("import", str(path), "--start", "2002Q3", "--dry-run", "--out", str(tmp_path / "out"))
    assert "The run begins in 2002Q3." in done.output
    assert "Phases: supplier_dominated (" in done.output


@pytest.mark.parametrize("suffix", [".xlsx", ".dta", ".parquet", ".csv"])
def test_file_formats_say_the_same(suffix: str, tmp_path: Path) -> None:
    table = frame(turnover=np.linspace(100.0, 900.0, 12), founded=range(1980, 1992))
    path = tmp_path / f"t{suffix}"
    if suffix == ".xlsx":
        with pd.ExcelWriter(path, engine="openpyxl") as book:
            pd.DataFrame({"a": ["about this file"]}).to_excel(book, sheet_name="Notes", index=False)
            table.to_excel(book, sheet_name="Firms", index=False, startrow=3)
    elif suffix == ".dta":
        table.to_stata(path, write_index=False)
    elif suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    clean, direct = cleaned(path), cleaned(table)
    pd.testing.assert_frame_equal(clean.firms, direct.firms)
    if suffix == ".xlsx":
        assert read(path).places[0] == 5, "the row in the sheet"


def test_stata_labels_are_a_second_source_of_names_and_units(tmp_path: Path) -> None:
    labels = {
        "v1": "Firm identifier",
        "v2": "Number of employees, 2023",
        "v3": "Turnover (thousand EUR)",
        "v4": "Region",
    }
    table = frame(v3=np.linspace(4000.0, 5000.0, 12), v4="x").rename(columns={"id": "v1", "employees": "v2"})
    table.to_stata(tmp_path / "t.dta", write_index=False, variable_labels=labels)
    found = open_tables(tmp_path / "t.dta", None, None)
    assert found.choice.columns["firms"] == {"id": "v1", "employees": "v2", "turnover": "v3"}
    assert "its label: Number of employees, 2023" in found.choice.reasons["employees"]
    assert cleaned(tmp_path / "t.dta").units == {"turnover": "kEUR a year"}


def test_a_workbook_with_two_sheets_has_firms_and_ties(tmp_path: Path) -> None:
    """Each table is the sheet that has its columns, also where the other is larger; a sheet left aside is told."""
    path = tmp_path / "t.xlsx"
    ties = pd.DataFrame({"Kunde": ["F0", "F1"] * 40, "Lieferant": [f"F{i % 10 + 2}" for i in range(80)], "Wert": 5.0})
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        frame().to_excel(book, sheet_name="Betriebe", index=False)
        ties.to_excel(book, sheet_name="Lieferungen", index=False)
    both = cleaned(path, path)
    assert len(both.firms) == 12
    assert both.ties is not None
    assert len(both.ties) == 10
    alone = open_tables(path, None, None)
    assert recognised(alone, cleaned(path))[-1].startswith("sheets not read: Lieferungen; for ties give")
    assert not any("sheets" in line for line in recognised(open_tables(path, path, None), both))


def test_columns_that_are_not_used_are_told() -> None:
    table = frame(Notizen="x", Region="y")
    assert recognised(open_tables(table, None, None), cleaned(table))[-1] == "not used in firms: Notizen, Region"


def test_the_row_of_the_total_is_no_firm() -> None:
    """A firm that is only called so stays."""
    table = frame()
    table.loc[12] = ["Totale", table["employees"].sum()]
    clean = cleaned(table)
    assert len(clean.firms) == 12
    assert [(one.place, one.text) for one in clean.rejected] == [
        ("firms, row 13", "'Totale' is the table's total, not a firm")
    ]
    table.loc[12, "employees"] = 7
    assert len(cleaned(table).firms) == 13


def test_graphs_carry_firms_and_ties(tmp_path: Path) -> None:
    graph = nx.DiGraph()
    for i in range(12):
        graph.add_node(f"F{i}", addetti=i + 1)
    graph.add_edge("F0", "F1", value=40.0)
    graph.add_edge("F1", "F0", value=20.0)
    graph.add_edge("F3", "F2", value=8.0)
    nx.write_graphml(graph, tmp_path / "g.graphml")
    nx.write_gexf(graph, tmp_path / "g.gexf")
    for source in (graph, tmp_path / "g.graphml", tmp_path / "g.gexf"):
        clean = cleaned(source)
        assert clean.ties is not None
        assert clean.ties.to_numpy().tolist() == [[0, 1, 10.0, 5.0], [2, 3, 0.0, 2.0]]


# Numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "comma", "wanted"),
    [
        (["1.234,5", "2", "1.000"], False, [1234.5, 2.0, 1000.0]),
        (["1,234.5", "2", "1,000"], True, [1234.5, 2.0, 1000.0]),
        (["1 234", "2'345", "€ 3.456,00"], True, [1234.0, 2345.0, 3456.0]),
        (["0,5", "12,75%"], False, [0.5, 12.75]),
        (["1e3", "-4", "+5"], False, [1000.0, -4.0, 5.0]),
        (["x", "12 kg", "1.2.3"], False, [np.nan] * 3),
        (["1.234.567", "12"], False, [1234567.0, 12.0]),
    ],
)
def test_numbers_are_read_as_they_are_written(cells: list[str], comma: bool, wanted: list[float]) -> None:
    np.testing.assert_array_equal(values.numbers(pd.Series(cells), comma), wanted)


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9).map(lambda v: round(v, 2)), min_size=1, max_size=20), st.booleans())
def test_written_numbers_come_back(numbers: list[float], comma: bool) -> None:
    texts = [italian(v, 2) if comma else f"{v:,.2f}" for v in numbers]
    found = values.numbers(pd.Series(texts), not comma)
    np.testing.assert_allclose(found, numbers, atol=1e-6)


def test_coordinates_have_no_thousands() -> None:
    np.testing.assert_array_equal(values.numbers(pd.Series(["44,783", "10,900"]), True, grouped=False), [44.783, 10.9])


def test_missing_is_not_zero() -> None:
    clean = cleaned(frame(turnover=["n.d.", "-", "", "NA", "0", "5", *["7"] * 6]))
    assert clean.firms["turnover"].isna().sum() == 4
    assert clean.counts["turnover"].observed == 8
    assert clean.counts["turnover"].imputed == 4
    assert clean.firms["turnover"].iloc[4] == 0.0


def test_dates_give_quarters_before_the_start() -> None:
    written = ["1990", "1990-07-15", "15/10/1990", "2001.0", "", "2001-12-31", *["1980"] * 6]
    clean = cleaned(frame(founded=written), start=(2002, 1))
    assert clean.firms["founded"].tolist()[:4] == [-49.0, -47.0, -46.0, -5.0]
    assert np.isnan(clean.firms["founded"].iloc[4])
    assert clean.firms["founded"].iloc[5] == -2.0


def test_degrees_become_kilometres() -> None:
    """A degree of latitude is 111 km; a degree of longitude at 44.8 degrees north is 79 km."""
    lat, lon = np.full(12, 44.8), np.full(12, 10.9)
    lat[0], lon[1] = 45.8, 11.9
    clean = cleaned(frame(lat=lat, lon=lon))
    assert clean.firms["y"].iloc[0] == pytest.approx(111.1, abs=0.3)
    assert clean.firms["x"].iloc[1] == pytest.approx(79.1, abs=0.3)
    assert abs(clean.firms[["x", "y"]].iloc[2:].to_numpy()).max() < 1e-6


def test_metres_and_a_place_that_is_far_off() -> None:
    x, y = np.linspace(650_000.0, 660_000.0, 12), np.full(12, 4_960_000.0)
    y[3] = 0.0
    clean = cleaned(frame(x=x, y=y))
    assert clean.units["x"] == "m"
    assert np.ptp(clean.firms["x"].dropna()) == pytest.approx(10.0)
    assert np.isnan(clean.firms["x"].iloc[3])
    assert "km from the others" in clean.problems[0].text


# Owners, phases, ties -----------------------------------------------------------------------------


def test_owners_by_id_by_group_and_from_outside() -> None:
    owner = ["", "F0", "F1", "F3", "estera", "F11", "", "", "", "", "", "F5"]
    group = ["", "", "", "", "", "", "Alfa", "Alfa", "Alfa", "Beta", "", ""]
    clean = cleaned(frame(owner=owner, group=group))
    assert clean.firms["owner"].tolist() == [-1, 0, 0, -1, -2, 11, 8, 8, -1, -1, -1, -1]
    told = {one.place: one.text for one in clean.problems}
    assert "last in the chain" in told["firms, row 3"]
    assert "own each other" in told["firms, row 12"]


def test_an_owner_who_is_no_firm_of_the_table_is_outside() -> None:
    """A holding has one firm, or leads several as a group; a foreign parent is a multinational. Each is told."""
    owner = ["HOLD1", "F0", "HOLD2", "HOLD2", "HOLD2", "US123", *[""] * 6]
    table = frame(owner=owner, guo_country_iso_code=[*["IT"] * 5, "US", *["IT"] * 5, "DE"])
    clean = cleaned(table)
    assert clean.firms["owner"].tolist() == [-1, 0, 4, 4, -1, -2, -1, -1, -1, -1, -1, -2]
    assert not clean.rejected
    told = {one.place: one.text for one in clean.refused}
    assert list(told) == [f"firms, row {row}" for row in (1, 3, 4, 5, 6)]
    assert "'HOLD1', no firm that is used has this id: the firm is taken as independent" in told["firms, row 1"]
    assert "the 3 firms of this owner are taken as a group" in told["firms, row 3"]
    assert "foreign, taken as a multinational" in told["firms, row 6"]
    with pytest.raises(ScenarioError, match=r"5 rows cannot be used as they are:\nfirms, row 1: owner: unknown owner"):
        cleaned(table, strict=True)


def test_an_owner_whose_row_cannot_be_used_is_outside_too() -> None:
    table = frame(owner=["", "F0", *[""] * 10]).astype({"employees": object})
    table.loc[0, "employees"] = None
    clean = cleaned(table)
    assert clean.firms["owner"].tolist() == [-1] * 11
    assert [one.rejected for one in clean.refused] == [True, False]


def test_a_column_of_foreign_owners_is_enough() -> None:
    clean = cleaned(frame(foreign_owned=["yes", "no", *["no"] * 9, "x"]))
    assert clean.firms["owner"].tolist() == [-2, *[-1] * 10, -2]
    assert (cleaned(frame(foreign_owned=[1, *[0] * 11])).firms["owner"] == -2).sum() == 1


def test_codes_become_phases_with_or_without_dots_and_letters() -> None:
    file = phase_files.load("supplier_dominated")
    codes = np.array(["13.10.00", "1310", "C13.1", "13", "14.13", "141310", "99", "", "1.11", "2.0", "final goods"])
    assert phase_files.phases_of(codes, file).tolist() == [0, 0, 0, -1, 5, 5, -1, -1, 0, 0, 5]


@pytest.mark.parametrize("name", phase_files.bundled())
def test_bundled_phase_files_cover_industry(name: str) -> None:
    """Each division of manufacturing has a phase, at least from three digits on, and each phase has a code."""
    file = phase_files.load(name)
    assert len(file.phases) == 6, "as many as the model is compiled for"
    assert set(file.codes.values()) == set(range(6))
    for division in range(10, 34):
        assert any(code.startswith(str(division)) for code in file.codes), division


def test_there_is_a_phase_file_for_each_of_pavitts_sectors() -> None:
    from district_sim.scenario.files import bundled_folder

    assert phase_files.bundled() == sorted(path.stem for path in (bundled_folder() / "sectors").glob("*.yaml"))


def test_numbers_of_phases_count_from_0_or_1() -> None:
    assert cleaned(frame(phase=[0, 1, 2, 3, 4, 5] * 2)).firms["phase"].tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert cleaned(frame(phase=[1, 2, 3, 4, 5, 6] * 2)).firms["phase"].tolist() == [0, 1, 2, 3, 4, 5] * 2


def test_ties_in_both_directions_are_one_tie() -> None:
    ties = pd.DataFrame(
        {"from": ["F1", "F0", "F1", "F2"], "to": ["F0", "F1", "F0", "F3"], "amount": [4.0, 8.0, 4.0, ""]}
    )
    clean = cleaned(frame(), ties)
    assert clean.ties is not None
    table = clean.ties.set_index(["a", "b"])
    assert table.loc[(0, 1)].tolist() == [2.0, 2.0]
    assert table.loc[(2, 3)].isna().all()
    assert clean.counts["value"].observed == 1


def test_a_firm_with_more_ties_than_the_model_takes_keeps_the_largest() -> None:
    n = 140
    firms = pd.DataFrame({"id": [f"F{i}" for i in range(n)], "employees": 5})
    ties = pd.DataFrame({"buyer": "F0", "supplier": [f"F{i}" for i in range(1, n)], "value": range(1, n)})
    clean = cleaned(firms, ties)
    assert clean.most_ties == 127
    assert [one.place for one in clean.rejected] == [f"ties, row {row}" for row in range(1, 13)]


def test_strict_refuses_and_names_each_row(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        cleaned(*hostile(tmp_path), strict=True)
    assert "11 rows cannot be used" in str(refused.value)
    assert "imprese.csv, line 392: employees: no employees" in str(refused.value)


def test_a_proposal_read_back_says_the_same(tmp_path: Path) -> None:
    firms, ties = hostile(tmp_path)
    found = open_tables(firms, ties, None)
    clean = tidied(found, None, None, False)
    path = tmp_path / "columns.yaml"
    path.write_text(proposal(found.choice, found.columns, clean.units), encoding="utf-8")
    again = cleaned(firms, ties, path)
    pd.testing.assert_frame_equal(again.firms, clean.firms)
    assert again.units == clean.units


# Twins and pseudonyms -----------------------------------------------------------------------------


def test_a_twin_has_the_same_marginals_groups_and_degrees(tmp_path: Path) -> None:
    clean = cleaned(*hostile(tmp_path))
    made = twin(clean)
    again = cleaned(made.firms, made.ties)
    assert not again.rejected
    assert clean.ties is not None
    assert again.ties is not None
    for column in ("employees", "phase", "founded", "education"):
        a, b = (np.sort(one.firms[column].dropna()) for one in (clean, again))
        np.testing.assert_allclose(a, b, atol=0.51)
    assert again.firms["turnover"].notna().sum() == clean.firms["turnover"].notna().sum()
    sizes = [np.sort(np.unique(o[o >= 0], return_counts=True)[1]) for o in (clean.firms["owner"], again.firms["owner"])]
    np.testing.assert_array_equal(*sizes)
    assert abs(len(again.ties) - len(clean.ties)) <= 0.01 * len(clean.ties)
    degrees = [np.sort(np.bincount(t[["a", "b"]].to_numpy().ravel(), minlength=394)) for t in (clean.ties, again.ties)]
    assert abs(degrees[0] - degrees[1]).max() <= 1
    assert not set(made.firms["id"]) & set(clean.firms["id"])
    both = pd.merge(clean.firms, again.firms, on=["employees", "phase", "founded", "education"])
    assert len(both) < 0.02 * len(clean.firms), "hardly a row is a firm's"


def test_pseudonyms_leave_no_id(tmp_path: Path) -> None:
    hidden = with_pseudonyms(cleaned(*hostile(tmp_path)))
    text = hidden.firms.to_csv() + "".join(map(str, hidden.problems))
    assert "IT0" not in text
    assert "IT9" not in text


# What is refused ----------------------------------------------------------------------------------


def swollen() -> bytes:
    """A workbook of 70 kB whose sheet unpacks into 70 MiB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b" " * (70 << 20))
    return file.getvalue()


BAD: dict[str, tuple[dict[str, str | bytes], list[str], str]] = {
    "no such file": ({}, ["none.csv"], "none.csv: no such file"),
    "a folder": ({"d.csv/x": ""}, ["d.csv"], "d.csv"),
    "an empty file": ({"t.csv": ""}, ["t.csv"], "t.csv: the file is empty"),
    "blank lines only": ({"t.csv": "\n \n"}, ["t.csv"], "only one column"),
    "another kind of file": ({"t.pdf": "x"}, ["t.pdf"], "files of this kind are not read"),
    "old Excel": ({"t.xls": "x"}, ["t.xls"], "save it as .xlsx"),
    "no text": ({"t.csv": b"a,b\0\0\n1,2\n"}, ["t.csv"], "is not text"),
    "one column": ({"t.csv": "id\nF1\n"}, ["t.csv"], "only one column is seen"),
    "a header only": ({"t.csv": "id,employees\n"}, ["t.csv"], "no rows below its header"),
    "a column twice": ({"t.csv": "id,employees,id\n1,2,3\n"}, ["t.csv"], "two columns are called 'id'"),
    "too many cells": ({"t.csv": SIMPLE + "F99,3,x\n"}, ["t.csv"], "t.csv, line 14: 3 cells, the header has 2"),
    "no id": ({"t.csv": "colour,employees\nred,3\n"}, ["t.csv"], "no column is recognised as id"),
    "no employees": ({"t.csv": "id,colour\nF1,red\n"}, ["t.csv"], "no column is recognised as employees"),
    "few firms": ({"t.csv": "id,employees\nF1,3\nF2,\n"}, ["t.csv"], "1 of 2 rows can be used"),
    "no columns file": ({"t.csv": SIMPLE}, ["t.csv", "--columns", "c.yaml"], "c.yaml: cannot be read"),
    "broken columns": ({"t.csv": SIMPLE, "c.yaml": "a: [\n"}, ["t.csv", "--columns", "c.yaml"], "c.yaml:2"),
    "unknown table": ({"t.csv": SIMPLE, "c.yaml": "firm: {}\n"}, ["t.csv", "--columns", "c.yaml"], "firm: unknown key"),
    "no lines": ({"t.csv": SIMPLE, "c.yaml": "firms: [1]\n"}, ["t.csv", "--columns", "c.yaml"], "must be lines"),
    "unknown variable": (
        {"t.csv": SIMPLE, "c.yaml": "firms:\n  employes: employees\n"},
        ["t.csv", "--columns", "c.yaml"],
        "c.yaml:2: firms.employes: unknown key; did you mean 'employees'?",
    ),
    "a column that is not there": (
        {"t.csv": SIMPLE, "c.yaml": "firms:\n  turnover: sales\n"},
        ["t.csv", "--columns", "c.yaml"],
        "c.yaml:2: firms.turnover: there is no column 'sales'",
    ),
    "a list for a column": (
        {"t.csv": SIMPLE, "c.yaml": "firms:\n  turnover: [sales]\n"},
        ["t.csv", "--columns", "c.yaml"],
        "c.yaml:2: firms.turnover: must be the name of a column",
    ),
    "a number for a column": (
        {"t.csv": SIMPLE, "c.yaml": "firms:\n  turnover: 2012\n"},
        ["t.csv", "--columns", "c.yaml"],
        "c.yaml:2: firms.turnover: there is no column '2012'",
    ),
    "prose for columns": (
        {"t.csv": SIMPLE, "c.yaml": "sales\n"},
        ["t.csv", "--columns", "c.yaml"],
        "c.yaml: must be made of 'key: value' lines",
    ),
    "an endless cell": ({"t.csv": SIMPLE + "x" * 200_000 + ",3\n"}, ["t.csv"], "t.csv: field larger than field limit"),
    "an endless cell below": (
        {"t.csv": SIMPLE + "".join(f"G{i},2\n" for i in range(300)) + "x" * 200_000 + ",3\n"},
        ["t.csv"],
        "t.csv, line 314: field larger than field limit",
    ),
    "a workbook that unpacks without end": ({"t.xlsx": swollen()}, ["t.xlsx"], "unpacks into 73,400,320 bytes"),
    "an unknown unit": (
        {"t.csv": SIMPLE, "c.yaml": "units:\n  turnover: lire\n"},
        ["t.csv", "--columns", "c.yaml"],
        "c.yaml:2: units.turnover = 'lire': must be one of",
    ),
    "no phases": ({"t.csv": SIMPLE}, ["t.csv", "--phases", "textile"], "--phases textile: no such file"),
    "a code in two phases": (
        {"t.csv": SIMPLE, "p.yaml": "phases: [a, b]\ncodes:\n  0: [\"13\"]\n  1: [\"13\"]\n"},
        ["t.csv", "--phases", "p.yaml"],
        "p.yaml:4: codes.1: '13' is empty or in two phases",
    ),
    "a phase beyond the last": (
        {"t.csv": SIMPLE, "p.yaml": "phases: [a, b]\ncodes:\n  2: [\"13\"]\n"},
        ["t.csv", "--phases", "p.yaml"],
        "p.yaml:3: codes.2: must be a phase from 0 to 1",
    ),
    "one phase": (
        {"t.csv": SIMPLE, "p.yaml": "phases: [a]\ncodes: {}\n"},
        ["t.csv", "--phases", "p.yaml"],
        "p.yaml:1: phases: must be a list of 2 to 12 names",
    ),
    "a list for the name of a phase": (
        {"t.csv": SIMPLE, "p.yaml": "phases: [[a], b]\ncodes: {}\n"},
        ["t.csv", "--phases", "p.yaml"],
        "p.yaml:1: phases: must be a list of 2 to 12 names",
    ),
    "an unknown key of phases": (
        {"t.csv": SIMPLE, "p.yaml": "phase: [a]\n"}, ["t.csv", "--phases", "p.yaml"], "p.yaml:1: phase: unknown key"
    ),
    "numbers of too many phases": (
        {"t.csv": "id,employees,phase\n" + "".join(f"F{i},3,{i % 10}\n" for i in range(12))},
        ["t.csv"],
        "phases go up to 9",
    ),
    "a wrong start": ({"t.csv": SIMPLE}, ["t.csv", "--start", "next year"], "start next year: must be a year"),
    "a wrong quarter": ({"t.csv": SIMPLE}, ["t.csv", "--start", "2002Q5"], "start 2002Q5: must be a year"),
    "no workbook": ({"t.xlsx": "x"}, ["t.xlsx"], "t.xlsx: is not an Excel workbook"),
    "no Stata file": ({"t.dta": "x"}, ["t.dta"], "t.dta: is not a Stata file"),
    "no Parquet file": ({"t.parquet": "x"}, ["t.parquet"], "t.parquet: is not a Parquet file"),
    "no graph": ({"t.graphml": "x"}, ["t.graphml"], "t.graphml: is not a graphml file"),
    "ties without a supplier": (
        {"t.csv": SIMPLE, "l.csv": "buyer,weight\nF1,3\n"},
        ["t.csv", "--ties", "l.csv"],
        "l.csv: no column is recognised as supplier",
    ),
    "dirty rows and --strict": ({"t.csv": SIMPLE + "F1,3\n"}, ["t.csv", "--strict"], "line 14: id: duplicate id 'F1'"),
    "a folder with something in it": ({"t.csv": SIMPLE, "out/x": "x"}, ["t.csv"], "out is not empty"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_gets_one_clear_message(kind: str, call: Callable[..., Result], small_folder: Path) -> None:
    files, arguments, message = BAD[kind]
    for name, content in files.items():
        path = small_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = call("import", *arguments, "--out", "out")
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split()), result.stderr
    assert "Traceback" not in result.output
    assert not (small_folder / "out" / "district.yaml").exists()


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_what_never_ends_is_not_opened(call: Callable[..., Result], small_folder: Path) -> None:
    """A pipe waits for somebody to write into it, a device has no end."""
    os.mkfifo(small_folder / "t.csv")
    refused = call("import", "t.csv", "--out", "out")
    assert (refused.exit_code, "t.csv: is a pipe or a device, not a file" in refused.stderr) == (2, True)
    for name in ("t.csv", "/dev/zero"):
        data = f'data: {{firms: {name}, firms_sha256: "{"0" * 64}", rows: 30}}'
        (small_folder / "d.yaml").write_text(f"extends: classroom\n{data}\nfirms: {{count: 30}}\n")
        refused = call("scenarios", "validate", "d.yaml")
        assert refused.exit_code == 2
        assert f"{name}: cannot be read: is not a file" in " ".join(refused.stderr.split()), refused.stderr


def test_a_header_may_be_a_year() -> None:
    table = frame(**{"2012": 5.0})
    assert cleaned(table, columns={"turnover": 2012}).firms["turnover"].notna().all()


def test_there_are_thirty_kinds() -> None:
    assert len(BAD) >= 30


def test_load_district_refuses_what_is_no_table() -> None:
    from district_sim import load_district

    with pytest.raises(ScenarioError, match="must be a table, a networkx graph or a file, not int"):
        load_district(5)


def test_what_was_not_recognised_is_corrected_in_one_line(call: Callable[..., Result], small_folder: Path) -> None:
    (small_folder / "t.csv").write_text(SIMPLE.replace("employees", "pax"))
    refused = call("import", "t.csv", "--out", "out")
    assert refused.exit_code == 2
    path = small_folder / "out" / "columns.yaml"
    text = path.read_text()
    assert "  employees:\n" in text
    path.write_text(text.replace("  employees:\n", "  employees: pax\n"))
    told = call("import", "t.csv", "--columns", "out/columns.yaml", "--out", "other", "--dry-run")
    assert told.exit_code == 0, told.output
    assert "Nothing was written." in told.output
    assert not (small_folder / "other").exists()
