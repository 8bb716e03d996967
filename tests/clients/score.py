"""The score in Python, written from the documentation. It shares nothing with the service.

Reads [{"payers": [[times, kept, lost, owed, grief]], "reviews": [[times, voice, accuracy_rating]], "active_weeks", "refund_overdue"}]
and prints [{"parts": [reliability, accuracy, volume, longevity, reputation], "total"}].
"""

import json
import math
import sys


def rounded(x):
    return math.floor(x + 0.5)


def part(bad, of, imaginary_bad, imaginary_of, slope):
    return rounded(max(0.0, 1000 - 1000 * slope * math.sqrt((bad + imaginary_bad) / (of + imaginary_of))))


def score(record):
    volume = bad = beyond = unhappy = heads = grief = 0
    for times, kept, lost, owed, let_down in record["payers"]:
        own = min(lost, kept)
        both = kept + own + owed
        weight = min(both, 50_000) + min(max(both - 50_000, 0), 500_000) // 10
        good = weight * kept // both if both else 0
        head = min(kept, 5_000) // 5
        volume += times * good
        bad += times * (weight - good)
        beyond += times * (lost - own)
        heads += times * head
        grief += times * (head * let_down // 1000)
    for times, voice, stars in record["reviews"]:
        unhappy += times * (voice * [1000, 667, 333, 0, 0][stars - 1] // 1000)
    bad += min(beyond, volume // 100)
    reliability = part(bad, volume + bad, 9_000, 100_000, 2.0)
    accuracy = part(unhappy, volume // 12 + unhappy, 4_800, 30_000, 1.5)
    reputation = part(grief, heads, 4_800, 30_000, 1.5)
    parts = [
        reliability,
        accuracy,
        rounded(min(1000.0, 400 + 200 * math.log10(1 + volume / 10_000))),
        rounded(400 + 600 * min(record["active_weeks"], 26) / 26),
        reputation,
    ]
    mean = (sum(weight * p for weight, p in zip((40, 20, 15, 10, 15), parts)) + 50) // 100
    total = min(mean, 300 + min(reliability, accuracy), 200 if record["refund_overdue"] else 1000)
    return {"parts": parts, "total": total}


print(json.dumps([score(record) for record in json.load(sys.stdin)]))
