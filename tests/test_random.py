"""Keyed randomness: the generator is the published one, draws are what they say, and nothing but their key matters."""

import numba
import numpy as np
import pytest
from naive import cases
from scipy import stats

from district_sim import load_scenario
from district_sim.kernels.draws import (
    Stream,
    draw_all,
    happens,
    laplace,
    normal,
    philox,
    random_word,
    replicate_seed,
    uniform,
    uniform2,
)
from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.model.processes.relations import BY_CHANCE, draw_firm, draw_firms
from district_sim.model.schedule import one_quarter
from district_sim.model.state import State, copied, empty_row, grown

N = 200_000
SEED = np.uint64(12345)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_philox_gives_the_published_answers(counter, key, words) -> None:
    """Known-answer vectors of the Random123 library for philox4x32, 10 rounds."""
    assert tuple(int(word) for word in philox(*map(np.uint32, counter), *map(np.uint32, key))) == words


@numba.njit
def _draws(kind, seed, firms, step):
    out = np.empty((firms.size, 2))
    for k in range(firms.size):
        if kind == 0:
            out[k] = uniform2(seed, 2, step, firms[k], -1, 0)
        elif kind == 1:
            out[k, :] = normal(seed, 2, step, firms[k], -1, 0)
        else:
            out[k, :] = laplace(seed, 2, step, firms[k], -1, 0)
    return out


# At N = 200,000 and 5 standard errors (false alarms 6e-7 a comparison), the tests below find, with a power of more
# than 0.99, a shift of 0.017 standard deviations, and the Kolmogorov-Smirnov test a gap of 0.01 between distributions.


@pytest.mark.parametrize(
    ("kind", "distribution"),
    [(0, stats.uniform()), (1, stats.norm()), (2, stats.laplace())],
    ids=["uniform", "normal", "laplace"],
)
def test_draws_have_their_distribution(kind, distribution) -> None:
    x = _draws(kind, SEED, np.arange(N), 7)[:, 0]
    mean, variance, _, kurtosis = (float(m) for m in distribution.stats("mvsk"))
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / N)
    assert abs(x.var() - variance) < 5 * variance * np.sqrt((kurtosis + 2) / N)
    assert stats.kstest(x, distribution.cdf).pvalue > 1e-6
    assert np.isfinite(x).all()
    if kind == 0:
        assert x.min() > 0.0
        assert x.max() < 1.0


@pytest.mark.parametrize("what", ["pair", "next firm", "next step", "next seed"])
def test_draws_of_neighbouring_keys_are_uncorrelated(what) -> None:
    draws = _draws(0, SEED, np.arange(N), 7)
    x, y = {
        "pair": (draws[:, 0], draws[:, 1]),
        "next firm": (draws[:-1, 0], draws[1:, 0]),
        "next step": (draws[:, 0], _draws(0, SEED, np.arange(N), 8)[:, 0]),
        "next seed": (draws[:, 0], _draws(0, np.uint64(12346), np.arange(N), 7)[:, 0]),
    }[what]
    assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(N)
    assert abs(np.corrcoef((x - 0.5) ** 2, (y - 0.5) ** 2)[0, 1]) < 5 / np.sqrt(N)


def test_order_of_calls_does_not_matter() -> None:
    firms = np.arange(1000)
    shuffled = np.random.default_rng(0).permutation(firms)
    np.testing.assert_array_equal(_draws(0, SEED, firms, 3)[shuffled], _draws(0, SEED, shuffled, 3))


def test_every_part_of_the_key_matters() -> None:
    base = {"seed": SEED, "stream": 2, "step": 3, "firm": 4, "other": 5, "number": 6}
    first = uniform(*base.values())
    assert uniform(*base.values()) == first
    changes = [dict(base, **{name: value}) for name in base for value in (np.uint64(0) if name == "seed" else -9, 7)]
    changes = [c for c in changes if c["number"] >= 0 and c["stream"] >= 0]
    changes.append(dict(base, seed=SEED + np.uint64(2**40)))  # a seed's upper half counts
    draws = {uniform(np.uint64(c["seed"]), *list(c.values())[1:]) for c in changes}
    assert len(draws | {first}) == len(changes) + 1


def test_streams_are_distinct() -> None:
    numbers = [stream.value for stream in Stream]
    assert len(set(numbers)) == len(numbers)
    assert len({uniform(SEED, number, 0, 0) for number in numbers}) == len(numbers)
    assert max(numbers) < 2**16  # a stream's number shares a word with the number of the draw


def test_replicate_seeds_are_stable_and_distinct() -> None:
    assert replicate_seed(0, 0) == 9848141077440658807
    assert replicate_seed(1, 0) != replicate_seed(0, 1)
    seeds = {replicate_seed(seed, replicate) for seed in range(100) for replicate in range(100)}
    assert len(seeds) == 10_000
    assert all(0 <= seed < 2**64 for seed in seeds)


# One firm more ----------------------------------------------------------------------------------


LIVELY = [
    "firms.count=40",
    "firms.settling=4",
    "mechanisms.demography=false",
    "mechanisms.mobility=false",
    "world.onset=0",
    "world.ramp=4",
    "strategy_start=0",
    "strategy.sale=1",
    "strategy.acquisition=1",
    "strategy.captivity=1",
    "strategy.collective_action=0.5",
    "strategy.pipelines=1",
    "ownership.takeover=0.05",
    "ownership.takeover_success=0",
    "ownership.divestment=0.1",
    "ownership.acquisition=0.2",
    "ownership.acquisition_price=1",
    "ownership.leader_size=5",
    "ties.closure=1",
]
"""Much happens to 40 firms, who meet partners' partners only, and nobody is measured against the district's average."""


def with_hermit(state: State) -> State:
    """A copy of the district with one firm more, which nobody meets: far away, without ties, of negligible size."""
    i = int(state.clock.rows[0])
    state = grown(state, i + 1) if i == state.firms.size else copied(state)
    f = state.firms
    f[i] = f[0]
    empty_row(i, f, state.ties, state.pipelines)
    f.key[i] = 10**6
    f.x[i], f.y[i] = 1e5, 1e5
    f.employees[i], f.reach[i] = 1e-3, 1e-9
    f.cash[i], f.sales[i], f.value_added[i], f.profit[i] = 0.0, 0.0, 0.0, 0.0
    state.clock.rows[0] = i + 1
    return state


PROCESSES_THAT_DRAW = (
    "run_agency",
    "innovate",
    "end_ties",
    "form_ties",
    "update_pipelines",
    "take_over",
    "divest",
    "acquire",
    "bind_captives",
)


def _same_rows(a: State, b: State, n: int) -> bool:
    return all(
        np.array_equal(getattr(a, part)[name][:n], getattr(b, part)[name][:n])
        for part in ("firms", "ties", "pipelines")
        for name in getattr(a, part).dtype.names
    )


def test_one_more_firm_changes_no_other_firms_draws() -> None:
    """Guaranteed, and tested to the bit: in any quarter, given the same state of everybody else, every process that
    draws does exactly the same to every other firm whether or not there is one more firm that nobody meets.

    Not guaranteed: that everything else stays the same for ever. A firm has weight in the market's sums and in the
    averages firms look at (participation, success), so wages and sales shift by a trace from the next quarter on.
    """
    p = parameters_of(load_scenario("imposed/baseline", LIVELY))
    state = cases.run("adopt_strategy", initial_state(p, 5, 20), p)
    n, did_something = int(state.clock.rows[0]), set()
    for _ in range(20):
        for name in PROCESSES_THAT_DRAW:
            without, with_one_more = cases.run(name, state, p), cases.run(name, with_hermit(state), p)
            assert _same_rows(without, with_one_more, n), name
            if not _same_rows(without, state, n):
                did_something.add(name)
        one_quarter(state, p, np.empty(0))
    assert did_something == set(PROCESSES_THAT_DRAW)


def _events(seed: int, hermit: bool) -> np.ndarray:
    """What happened to each of 40 firms in each of 20 quarters, shape (20, 40, kinds of events)."""
    p = parameters_of(load_scenario("imposed/baseline", LIVELY))
    state = initial_state(p, seed, 20)
    n = int(state.clock.rows[0])
    state = with_hermit(state) if hermit else state
    quarters = []
    for _ in range(20):
        before = copied(state)
        one_quarter(state, p, np.empty(0))
        f, old = state.firms[:n], before.firms[:n]
        changed = [f[name] != old[name] for name in ("owner", "captor", "technology", "increments")]
        links = [state.ties["partner"][:n], state.pipelines["node"][:n]]
        were = [before.ties["partner"][:n], before.pipelines["node"][:n]]
        changed += [(now != then).any(axis=1) for now, then in zip(links, were, strict=True)]
        quarters.append(np.stack([f["participates"] > 0.0, *changed], axis=1))
    return np.array(quarters)


def test_one_more_firm_leaves_twenty_quarters_of_luck_in_place() -> None:
    """Over 20 quarters the trace in the market may tip a decision that stood on the edge, no more (under 0.5 % of all
    events here); with other luck for everybody several times as many come out differently."""
    plain = _events(5, hermit=False)
    disturbed = (plain != _events(5, hermit=True)).mean()
    reseeded = (plain != _events(6, hermit=False)).mean()
    assert disturbed < 0.005
    assert reseeded > 0.05


def _meetings(state: State) -> np.ndarray:
    n, alive, stream = 40, state.firms.alive, int(Stream.TIE_FORMING)
    return np.array([[draw_firm(i, k, stream, state.firms, alive, state.clock) for k in range(8)] for i in range(n)])


@pytest.mark.parametrize(
    "count",
    [
        40,
        64,
    ],
)
def test_one_more_firm_leaves_meetings_as_they_were(count) -> None:
    """A search meets whom it met before, unless it now meets the new firm itself."""
    p = parameters_of(load_scenario("baseline", ["firms.settling=0", f"firms.count={count}"]))
    state = initial_state(p, 5, 20)
    before, after = _meetings(state), _meetings(with_hermit(state))
    assert ((after == before) | (after == count)).all()
    assert (after == count).any()


def test_draws_for_all_are_the_draws_for_each() -> None:
    """To the bit, although eight are taken at a time; also of newborns, whose keys are hashes, and after closures."""
    state = cases.district("restless", 3, 12)
    rows = cases.listed(state)
    seed, step, stream = state.clock.seed[0], state.clock.step[0], int(Stream.EXIT)
    assert 0 < rows.size < state.clock.rows[0]
    np.testing.assert_array_equal(rows, np.flatnonzero(state.firms.alive))
    luck = draw_all(rows, stream, state.clock, state.scratch)[: rows.size]
    assert luck.tolist() == [uniform(seed, stream, step, key) for key in state.firms.key[rows]]


@pytest.mark.parametrize(("count", "quarters"), [(3, 12), (200, 0), (1000, 12)])
def test_firms_met_together_are_those_met_one_by_one(count: int, quarters: int) -> None:
    """To the bit, for few searches and many, where all rows are alive and where most firms have closed."""
    state, stream = cases.district("restless", 3, quarters), int(Stream.HIRING)
    rows, alive, clock = cases.listed(state), state.scratch.alive, state.clock
    alive[: clock.rows[0]] &= np.arange(clock.rows[0]) % (5 if quarters else 1) == 0
    space, own = state.scratch.meetings[0], rows[np.arange(count) % rows.size]
    space["own"][:count], space["at"][:count] = own, np.arange(count)
    space["word"][:count] = [
        random_word(clock.seed[0], stream, clock.step[0], state.firms.key[i], BY_CHANCE, t) for t, i in enumerate(own)
    ]
    _draw(np.uint64(count), state.scratch.meetings, alive, clock)
    one_by_one = [draw_firm(i, t, stream, state.firms, alive, clock) for t, i in enumerate(own)]
    assert space["met"][:count].tolist() == one_by_one
    assert len(set(one_by_one)) > 1


@numba.njit
def _draw(count, meetings, alive, clock):  # type: ignore[no-untyped-def]
    draw_firms(count, meetings[0], alive, clock)


def test_what_happens_at_a_rate_happens_as_often() -> None:
    for rate in (0.0, 1e-12, 0.01, 1.0, 50.0):
        chance = 1.0 - np.exp(-rate)
        for luck in (1e-16, 0.5 * chance, 0.9999 * chance, 1.0001 * chance + 1e-15, 1.0 - 1e-16):
            assert happens(luck, rate) == (luck < chance), (luck, rate)
