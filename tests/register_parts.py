"""A hostile table: a district as an office exports it, with decimal commas, codes, groups, and ten dirty rows."""

from pathlib import Path

import numpy as np

HEADER = (
    "Codice fiscale;Ragione sociale;Addetti;LAT;LON;Codice ATECO;Gruppo;Ricavi (migl. EUR);Anno costituzione;% laureati"
)
DIRTY = 10
CODES = ("13.10.00", "13.20.00", "13.30.00", "13.99.10", "28.94.10", "14.13.10", "14.39.00")
SHARES = (0.12, 0.13, 0.12, 0.12, 0.11, 0.25, 0.15)


def italian(number: float, decimals: int = 1) -> str:
    """A number as Italian offices write it: 1.234,5."""
    return f"{number:,.{decimals}f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def hostile(folder: Path, firms: int = 400, ties: int = 1500, seed: int = 1, most: int = 14) -> tuple[Path, Path]:
    """Write the two tables; returns their paths. The last ten rows of firms cannot be used, or not as they are."""
    rng = np.random.default_rng(seed)
    good = firms - DIRTY
    people = np.maximum(1, np.round(np.exp(rng.normal(1.3, 1.2, good))))
    code = rng.choice(len(CODES), good, p=SHARES)
    group = np.full(good, "", object)
    for number, leader in enumerate(np.argsort(-people)[:7]):
        members = rng.choice(good, 3, replace=False)
        group[[leader, *members]] = f"Gruppo {number}"
    turnover = people * np.exp(rng.normal(4.6, 0.4, good))
    lines = ["\ufeff" + HEADER]
    for i in range(good):
        cells = [
            f"IT{i:05d}",
            f'"Ditta ""{i}""; S.r.l."' if i % 50 == 0 else f"Società {i}",
            italian(people[i], 0),
            italian(44.78 + rng.normal(0.0, 0.03), 5),
            italian(10.88 + rng.normal(0.0, 0.04), 5),
            CODES[code[i]],
            group[i],
            "n.d." if i % 9 == 0 else italian(turnover[i]),
            str(2001 - int(rng.exponential(14))),
            italian(100 * rng.beta(2, 9)),
        ]
        lines.append(";".join(cells))
    place = "44,78;10,88;14.13.10"
    lines += [
        f"IT90001;Senza addetti;;{place};;100,0;1990;10,0",
        f"IT90002;Zero addetti;0;{place};;100,0;1990;10,0",
        f"IT00003;Doppione;12;{place};;100,0;1990;10,0",
        f";Senza codice;12;{place};;100,0;1990;10,0",
        f"IT90005;Addetti a parole;dodici;{place};;100,0;1990;10,0",
        f"IT90006;Negativi;-4;{place};;100,0;1990;10,0",
        "IT90007;In mare;8;0;0;14.13.10;;100,0;1990;10,0",
        "IT90008;Codice ignoto;8;44,78;10,88;99.00.00;;100,0;1990;10,0",
        f"IT90009;Nata domani;8;{place};;100,0;2190;10,0",
        f"IT90010;Più di tutti;8;{place};;-7,5;1990;140",
    ]
    table = folder / "imprese.csv"
    table.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    pairs: dict[tuple[int, int], float] = {}
    degree = np.zeros(good, int)
    while len(pairs) < ties - 6:
        a, b = (int(v) for v in rng.integers(0, good, 2))
        if a == b or (a, b) in pairs or max(degree[a], degree[b]) >= most:
            continue
        if (b, a) not in pairs:
            degree[[a, b]] += 1
        pairs[a, b] = float(np.exp(rng.normal(3.0, 1.0)))
    rows = ["Cliente,Fornitore,Valore ordini (kEUR)"]
    rows += [f'IT{a:05d},IT{b:05d},"{italian(value, 2)}"' for (a, b), value in pairs.items()]
    a, b = next(iter(pairs))
    rows += [
        'IT00001,IT00001,"10,00"',
        'IT00001,IT77777,"10,00"',
        'IT00001,,"10,00"',
        'IT90001,IT00002,"10,00"',
        f'IT{a:05d},IT{b:05d},"5,00"',
        'IT99999,IT88888,"1,00"',
    ]
    links = folder / "ordini.csv"
    links.write_bytes("\n".join(rows).encode("latin-1"))
    return table, links
