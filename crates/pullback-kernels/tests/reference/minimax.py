"""The minimax coefficients of src/special.rs, by Remez exchange in 60 digits: python3 minimax.py (needs mpmath)."""

import struct
from mpmath import cos, erf, erfc, exp, expm1, log, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 60


def nodes(low, high, count, shift):
    return [(low + high) / 2 - (high - low) / 2 * cos(pi * (i + shift) / count) for i in range(count)]


def remez(g, weight, low, high, powers):
    """The c that minimize max |weight(x) (g(x) - sum c_k x^powers[k])| on [low, high]."""
    n = len(powers)
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * (n + 1))) for i in range(n + 1)]
    grid = [(x, g(x), weight(x)) for x in nodes(low, high, 60 * (n + 1), mpf(1) / 2)]
    for _ in range(12):
        a, b = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for i, x in enumerate(points):
            for j, power in enumerate(powers):
                a[i, j] = x**power
            a[i, n] = (-1) ** i / weight(x)
            b[i] = g(x)
        c = lu_solve(a, b)
        errors = [(w * (gx - sum(c[j] * x**p for j, p in enumerate(powers))), x) for x, gx, w in grid]
        extrema = []
        for e, x in errors:
            if extrema and (e > 0) == (extrema[-1][0] > 0):
                if abs(e) > abs(extrema[-1][0]):
                    extrema[-1] = (e, x)
            else:
                extrema.append((e, x))
        while len(extrema) > n + 1:
            extrema.pop(0 if abs(extrema[0][0]) < abs(extrema[-1][0]) else -1)
        if len(extrema) < n + 1:
            break
        points = [x for _, x in extrema]
        if max(abs(e) for e, _ in errors) < abs(c[n]) * mpf("1.02"):
            break
    return [c[j] for j in range(n)]


def rounded(x, single):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0]) if single else mpf(float(x))


def fit(name, g, weight, low, high, degree, single, refit):
    """Prints the coefficients; with refit, each is rounded before those above it are fitted."""
    low, high = mpf(low), mpf(high)
    c = [] if refit else [rounded(x, single) for x in remez(g, weight, low, high, range(degree + 1))]
    for k in range(degree + 1 if refit else 0):
        rest = lambda x, known=list(c): g(x) - sum(a * x**i for i, a in enumerate(known))
        c.append(rounded(remez(rest, weight, low, high, range(k, degree + 1))[0], single))
    value = lambda x: sum(a * x**i for i, a in enumerate(c))
    worst = max(abs(weight(x) * (g(x) - value(x))) for x in nodes(low, high, 2000, mpf(1) / 2))
    print(name, "f32" if single else "f64", "error 2^%.1f" % float(log(worst, 2)))
    for a in c:
        print("   ", "%.9g" % float(a) if single else repr(float(a)))


TINY = mpf(10) ** -20
half_ln_2 = log(2) / 2 * mpf("1.001")
for degree, single in (5, True), (10, False):
    fit(
        "exp",
        lambda r: mpf(1) / 2 + r / 6 if abs(r) < TINY else (expm1(r) - r) / r**2,
        lambda r: abs(r) + TINY if abs(r) < TINY else abs(r**2 / expm1(r)),
        -half_ln_2, half_ln_2, degree, single, False,
    )
for border, top, small, large, single in ("0.921875", 4, 6, 7, True), (1, 6, 12, 18, False):
    fit(
        "erf, small",
        lambda s: 2 / sqrt(pi) - 1 if s < TINY else erf(sqrt(s)) / sqrt(s) - 1,
        lambda s: mpf(1) if s < TINY else sqrt(s) / erf(sqrt(s)),
        0, mpf(border) ** 2, small, single, True,
    )
    fit("erf, large", lambda t: log(erfc(t)), lambda t: erfc(t) / erf(t), border, top, large, single, True)
