"""Pictures by gnuplot: throughput, p99 and CPU time against the number of concurrent users, the
models of reeve in one picture, other servers in another, the floor in both."""
import os
import shutil
import subprocess

from report import failures

SIZE = "1100,700"
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#e08e0b", "#7b4fa3", "#3aa6b9", "#8c564b", "#c2185b",
           "#4b5563")
PICTURES = (
    ("rate", "rate", 1, "requests per second (log scale)", "throughput"),
    ("p99", "p99_us", 0.001, "p99 of the time for a whole connection, ms (log scale)",
     "99th percentile of latency"),
    ("cpu", "cpu_us", 1, "CPU of the server per request, us (log scale)", "CPU time per request"),
)


def available():
    return shutil.which("gnuplot") is not None


def series(middle, families):
    """{server: (family, [row by rising users])} of the sweep over concurrency."""
    found = {}
    for row in middle:
        if row["load"].startswith("close-") and row["family"] in families and row["rate"]:
            found.setdefault(row["server"], (row["family"], []))[1].append(row)
    for _, rows in found.values():
        rows.sort(key=lambda row: row["users"])
    return found


def block(number, column, factor, rows):
    lines = "\n".join(f"{row['users']} {row[column] * factor}" for row in rows if row[column])
    return f"$s{number} << EOD\n{lines}\nEOD\n"


def steps(values):
    """1, 2, 5, 10, ... around all values: the marks of a logarithmic axis."""
    marks = [digit * 10.0 ** power for power in range(-3, 9) for digit in (1, 2, 5)]
    low = max(mark for mark in marks if mark <= min(values))
    high = min(mark for mark in marks if mark >= max(values))
    return [mark for mark in marks if low <= mark <= high]


def axis(values):
    return ", ".join(f"'{value:,g}' {value:g}" for value in values)


def style(number, family):
    if family == "floor":
        return "lc rgb '#000000' lw 2 dt 2 pt 0"
    dash = 1 if number < len(COLOURS) else 4
    return f"lc rgb '{COLOURS[number % len(COLOURS)]}' lw 2 dt {dash} pt {4 + number} ps 1.1"


def script(path, found, column, factor, label, title):
    users = sorted({row["users"] for _, rows in found.values() for row in rows})
    marks = steps([row[column] * factor for _, rows in found.values() for row in rows
                   if row[column]])
    text = f"""set terminal pngcairo size {SIZE} font 'DejaVu Sans,11'
set output '{path}'
set title '{title}' font ',14'
set xlabel 'concurrent users, a connection for each request (log scale)   \
* not without failures: see the table'
set ylabel '{label}'
set logscale xy
set xrange [{users[0] * 0.8}:{users[-1] * 1.25}]
set yrange [{marks[0]}:{marks[-1]}]
set xtics ({axis(users)})
set ytics ({axis(marks)})
set grid xtics ytics lt 1 lc rgb '#dddddd'
set key outside right top
set border 3
set xtics nomirror
set ytics nomirror
"""
    lines = []
    for number, (name, (family, rows)) in enumerate(found.items()):
        text += block(number, column, factor, rows)
        mark = " *" if any(failures(row) for row in rows) else ""
        lines.append(f"$s{number} using 1:2 with linespoints {style(number, family)} "
                     f"title '{name}{mark}'")
    return text + "plot " + ", \\\n     ".join(lines) + "\n"


def draw(folder, middle):
    """Writes the pictures; (their names, what could not be drawn)."""
    names, wrong = [], []
    for suffix, families, who in (("models", ("reeve", "floor"), "the models of reeve"),
                                  ("peers", ("peer", "floor"), "other servers")):
        found = series(middle, families)
        if not any(family != "floor" for family, _ in found.values()):
            continue
        if suffix == "peers":  # with our default beside them
            found.update({f"reeve {name}": value for name, value in
                          series(middle, ("reeve",)).items() if name == "event"})
        for short, column, factor, label, title in PICTURES:
            name = f"{short}-{suffix}.png"
            text = script(os.path.join(folder, name), found, column, factor, label,
                          f"{title}: {who}")
            done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True,
                                  timeout=60, check=False)
            if done.returncode:
                wrong.append(f"{name}: gnuplot: {' '.join(done.stderr.split())[-200:]}")
            else:
                names.append(name)
    return names, wrong
