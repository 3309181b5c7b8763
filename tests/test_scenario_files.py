"""Reading scenario files: what is merged, what is refused, and the words of each refusal."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from district_sim.scenario import files as scenario_files
from district_sim.scenario.files import ScenarioError, bundled_folder, load_scenario, scenario_names, scenario_text

type Write = Callable[[str, str | bytes], Path]

MATCH = "policies:\n  - name: match\n    kind: ppp_match\n    budget: 3\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file in an empty current folder and returns its relative path."""
    monkeypatch.chdir(tmp_path)

    def write_file(name: str, text: str | bytes) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


@pytest.fixture
def bundled(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundled folder of our own: two scenarios, one case, one base."""
    write("package/_district.yaml", "title: base\nfirms: {count: 40, trust: 0.3}\n")
    write("package/learning_region.yaml", "extends: _district\ntitle: learning\n")
    write("package/classroom.yaml", "extends: _district\nfirms: {count: 30}\n")
    write("package/cases/carpi.yaml", "extends: _district\ntitle: Carpi\n")
    folder = Path("package").resolve()
    monkeypatch.setattr(scenario_files, "bundled_folder", lambda: folder)
    return folder


def refusal(source: str | Path, overrides: object = ()) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(source, overrides)  # type: ignore[arg-type]
    return str(caught.value)


BAD_FILES = {
    "unknown key": (
        "title: x\nfirms:\n  cuont: 50\n",
        "my.yaml:3: firms.cuont: unknown key; did you mean 'count'?",
    ),
    "key of another section": (
        "title: x\ncount: 50\n",
        "my.yaml:2: count: unknown key; did you mean 'firms.count' or 'technology.count'?",
    ),
    "wrong type": (
        "firms:\n  count: many\n",
        "my.yaml:2: firms.count = 'many': must be a whole number between 10 and 1,000,000",
    ),
    "fraction of a firm": (
        "firms: {count: 10.5}",
        "my.yaml:1: firms.count = 10.5: must be a whole number between 10 and 1,000,000",
    ),
    "truth for a number": (
        "firms:\n  trust: true\n",
        "my.yaml:2: firms.trust = true: must be a number between 0 and 1",
    ),
    "zero firms": (
        "firms:\n  count: 0\n",
        "my.yaml:2: firms.count = 0: must be a whole number between 10 and 1,000,000",
    ),
    "probability 1.2": (
        "firms:\n\n  trust: 1.2\n",
        "my.yaml:3: firms.trust = 1.2: must be a number between 0 and 1",
    ),
    "NaN": ("firms:\n  trust: .nan\n", "my.yaml:2: firms.trust = nan: must be a finite number"),
    "NaN as text": ("firms: {trust: NaN}", "my.yaml:1: firms.trust = NaN: must be a finite number"),
    "infinity": ("firms: {trust: -.inf}", "my.yaml:1: firms.trust = -inf: must be a finite number"),
    "overflow": ("firms: {trust: 1e999}", "my.yaml:1: firms.trust = inf: must be a finite number"),
    "duplicate key": (
        "firms:\n  count: 20\n  count: 30\n",
        "my.yaml:3: duplicate key 'count': a key may be given once in a section",
    ),
    "missing extends": (
        "title: x\nextends: nowhere\n",
        "my.yaml:2: extends: there is no scenario or file 'nowhere'",
    ),
    "extends a number": (
        "extends: 3\n",
        "my.yaml:1: extends: there is no scenario or file '3'",
    ),
    "extends itself": ("extends: my\n", "my.yaml:1: circular extends: my.yaml → my.yaml"),
    "empty": ("", "my.yaml: the file is empty"),
    "only a comment": ("# nothing\n", "my.yaml: the file is empty"),
    "not YAML": ("firms: [1\n", "my.yaml:2: not valid YAML: expected ',' or ']', but got"),
    "a picture": (b"\x89PNG\r\n", "my.yaml: not a YAML file (byte 0 is not UTF-8 text)"),
    "prose": ("Hello.", "my.yaml: must be made of 'key: value' lines"),
    "a list": ("- a\n", "my.yaml: must be made of 'key: value' lines"),
    "two documents": ("a: 1\n---\nb: 2\n", "my.yaml:2: not valid YAML: but found another document"),
    "empty section": (
        "firms:\n",
        "my.yaml:1: firms = empty: must be a section of 'key: value' lines",
    ),
    "number as key": ("firms:\n  3: 4\n", "my.yaml:2: firms.3: unknown key"),
    "tag": (
        "firms: !python/name 3\n",
        "my.yaml:1: the tag !python/name is not read: only numbers, text, lists and sections",
    ),
    "missing key in a list": (
        "policies:\n  - name: a\n",
        "my.yaml:2: policies.0.kind: this key is required",
    ),
    "unknown instrument": (
        "policies:\n  - name: a\n    kind: ppp_mach\n",
        "my.yaml:3: policies.0.kind = 'ppp_mach': must be one of 'training_vouchers', ",
    ),
    "two fields that disagree": (
        MATCH + "    start: 5\n    end: 3\n",
        "my.yaml:2: policies.0: end (3) must come after start (5)",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_file_is_refused_with_one_clear_line(write: Write, text: str | bytes, message: str) -> None:
    said = refusal(write("my.yaml", text))
    assert said.startswith(message)
    assert "\n" not in said


def test_every_error_has_its_own_line(write: Write) -> None:
    path = write("my.yaml", "firms:\n  trust: 1.2\n  count: 0\nfoo: 1\n")
    places = {line.split(": ")[0] for line in refusal(path).splitlines()}
    assert places == {"my.yaml:2", "my.yaml:3", "my.yaml:4"}


def test_circular_extends_names_the_whole_circle(write: Write) -> None:
    write("a.yaml", "extends: b\n")
    write("b.yaml", "title: x\nextends: [a]\n")
    start = write("start.yaml", "extends: a\n")
    assert refusal(start) == "b.yaml:2: circular extends: a.yaml → b.yaml → a.yaml"


def test_two_ways_to_one_base_are_no_circle(write: Write) -> None:
    write("base.yaml", "firms: {count: 50}\n")
    write("left.yaml", "extends: base\n")
    write("right.yaml", "extends: base\n")
    assert load_scenario(write("top.yaml", "extends: [left, right]\n")).firms.count == 50


def test_sections_merge_lists_replace_and_the_last_word_wins(write: Write) -> None:
    write("low.yaml", "title: low\nfirms: {count: 50, trust: 0.1, it: 0.1}\n" + MATCH)
    write("high.yaml", "firms: {trust: 0.2, it: 0.2}\n")
    scenario = load_scenario(write("top.yaml", "extends: [low, high]\nfirms: {it: 0.3}\npolicies: []\n"))
    assert scenario.title == "low"
    assert (scenario.firms.count, scenario.firms.trust, scenario.firms.it) == (50, 0.2, 0.3)
    assert scenario.policies == ()


def test_error_names_the_file_that_set_the_value(write: Write) -> None:
    write("low.yaml", "title: low\n\nfirms:\n  trust: 7\n  it: 7\n")
    top = write("top.yaml", "extends: low\nfirms:\n  it: 8\n")
    assert refusal(top).splitlines() == [
        "low.yaml:4: firms.trust = 7: must be a number between 0 and 1",
        "top.yaml:3: firms.it = 8: must be a number between 0 and 1",
    ]


def test_numbers_and_words_are_read_as_yaml_1_2(write: Write) -> None:
    scenario = load_scenario(write("my.yaml", "title: no\nfirms: {trust: 1e-3}\n"))
    assert scenario.title == "no"
    assert scenario.firms.trust == 0.001


GOOD_OVERRIDES = {
    "number": (["firms.count=100"], lambda s: s.firms.count == 100),
    "last one wins": (["firms.count=100", "firms.count=60"], lambda s: s.firms.count == 60),
    "one text": ("firms.count=100", lambda s: s.firms.count == 100),
    "in a list": (["policies.0.budget=2e2"], lambda s: s.policies[0].budget == 200),
    "section merges": (
        ["firms={count: 12}"],
        lambda s: (s.firms.count, s.firms.trust) == (12, 0.25),
    ),
    "list replaces": (["policies=[]"], lambda s: s.policies == ()),
    "switch": (["mechanisms.takeover=false"], lambda s: not s.mechanisms.takeover),
    "value with equals": (["title=a=b"], lambda s: s.title == "a=b"),
    "mapping": ({"firms.count": 100, "title": "x"}, lambda s: s.firms.count == 100),
    "NumPy": (
        {"firms.count": np.int64(20), "firms.trust": np.float64(0.5)},
        lambda s: (s.firms.count, s.firms.trust) == (20, 0.5),
    ),
}


@pytest.mark.parametrize(("overrides", "holds"), GOOD_OVERRIDES.values(), ids=GOOD_OVERRIDES.keys())
def test_override_wins_over_the_file(write: Write, overrides, holds) -> None:
    path = write("my.yaml", "firms: {count: 50, trust: 0.25}\n" + MATCH)
    assert holds(load_scenario(path, overrides))


BAD_OVERRIDES = {
    "out of range": (
        ["firms.count=0"],
        "--set firms.count=0: must be a whole number between 10 and 1,000,000",
    ),
    "unknown path": (
        ["firms.cuont=3"],
        "--set firms.cuont=3: there is no parameter 'firms.cuont'; did you mean 'firms.count'?",
    ),
    "section left out": (
        ["count=30"],
        "--set count=30: there is no parameter 'count'; did you mean 'firms.count' or 'technology.count'?",
    ),
    "below a number": (
        ["firms.count.x=3"],
        "--set firms.count.x=3: there is no parameter 'firms.count.x'",
    ),
    "unknown in a list": (
        ["policies.0.budgit=1"],
        "--set policies.0.budgit=1: there is no parameter 'policies.0.budgit'; did you mean 'policies.0.budget'",
    ),
    "beyond a list": (
        ["policies.1.budget=1"],
        "--set policies.1.budget=1: policies has no entry 1 (it has 1, counted from 0)",
    ),
    "not finite": (
        ["firms.trust=.nan"],
        "--set firms.trust=.nan: firms.trust = nan: must be a finite number",
    ),
    "no value": (
        ["firms.count="],
        "--set firms.count=: write it as path=value, such as firms.count=100",
    ),
    "not YAML": (["title=[a"], "--set title=[a: not valid YAML: "),
    "deep in a value": (
        ["firms={trust: 3}"],
        "--set firms={trust: 3}: firms.trust = 3: must be a number between 0 and 1",
    ),
    "mapping": (
        {"firms.count": 0},
        "override firms.count=0: must be a whole number between 10 and 1,000,000",
    ),
}


@pytest.mark.parametrize(("overrides", "message"), BAD_OVERRIDES.values(), ids=BAD_OVERRIDES.keys())
def test_bad_override_is_refused_with_one_clear_line(write: Write, overrides, message) -> None:
    said = refusal(write("my.yaml", MATCH), overrides)
    assert said.startswith(message)
    assert "\n" not in said


def test_names_leave_out_the_bases(bundled: Path) -> None:
    assert scenario_names() == ["cases/carpi", "classroom", "learning_region"]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("learning_region", "learning"),
        ("learning_region.yaml", "learning"),
        ("cases/carpi", "Carpi"),
        ("_district", "base"),
    ],
)
def test_bundled_scenarios_are_found_by_name(bundled: Path, name: str, title: str) -> None:
    scenario = load_scenario(name)
    assert (scenario.title, scenario.firms.count) == (title, 40)


def test_own_file_is_meant_when_its_whole_name_is_given(bundled: Path, write: Write) -> None:
    write("learning_region.yaml", "title: mine\n")
    assert load_scenario("learning_region.yaml").title == "mine"
    assert load_scenario("./learning_region").title == "mine"
    assert load_scenario("learning_region").title == "learning"


def test_own_file_extends_its_neighbour_before_a_bundled_one(bundled: Path, write: Write) -> None:
    write("classroom.yaml", "title: neighbour\n")
    assert load_scenario(write("my.yaml", "extends: classroom\n")).title == "neighbour"
    Path("classroom.yaml").unlink()
    assert load_scenario("my.yaml").firms.count == 30


def test_unknown_names_and_files_are_refused(bundled: Path) -> None:
    assert refusal("learning_regoin") == (
        "there is no scenario or file 'learning_regoin'; did you mean 'learning_region'? "
        "(bundled scenarios: cases/carpi, classroom, learning_region)"
    )
    assert refusal("mine.yaml") == "mine.yaml: no such file"
    assert refusal("package") == "package: this is a folder, not a scenario file"


def test_error_in_a_bundled_file_names_it_without_its_folder(bundled: Path, write: Write) -> None:
    write("package/_district.yaml", "firms: {count: 1}\n")
    assert refusal("cases/carpi").startswith("_district.yaml:1: firms.count = 1: ")


def test_text_is_the_file_as_written(bundled: Path, write: Write) -> None:
    write("package/classroom.yaml", "# why\ntitle: è\n")
    assert scenario_text("classroom") == "# why\ntitle: è\n"


def test_the_promised_scenarios_are_bundled() -> None:
    assert bundled_folder().is_dir()
    assert set(scenario_names()) >= {
        "baseline",
        "classroom",
        "collective_entrepreneurship",
        "decline",
        "fragmentation",
        "fragmentation_hierarchy",
        "imposed/baseline",
        "imposed/collective_entrepreneurship",
        "imposed/decline",
        "imposed/fragmentation",
        "imposed/learning_region",
        "imposed/post_marshallian_node",
        "learning_region",
        "post_marshallian_node",
    }


def test_every_bundled_scenario_is_valid_and_introduces_itself() -> None:
    for name in scenario_names():
        scenario = load_scenario(name)
        assert scenario.title, name
        assert scenario.description, name
