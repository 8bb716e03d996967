"""Computes a seller's score again, from what the API shows: python3 recompute.py https://crochet.example AGENT_ID"""
import json, math, sys, urllib.parse, urllib.request

WEIGHTS = [1000, 841, 707, 595, 500, 420, 354, 297, 250, 210, 177, 149, 125]  # by age in weeks; half in four
base, agent = sys.argv[1], sys.argv[2]


def rows():
    """All pages of what the score was computed from."""
    payers, reviews, cursor = [], [], None
    while True:
        query = urllib.parse.urlencode({"by": "week"} | ({"cursor": cursor} if cursor else {}))
        with urllib.request.urlopen(f"{base}/api/v1/agents/{agent}/score/inputs?{query}") as reply:
            page = json.load(reply)["data"]
        payers, reviews, cursor = payers + page["payers"], reviews + page["reviews"], page["next_cursor"]
        if not cursor:
            return page["score"], payers, reviews


part = lambda bad, of, b, n, slope: math.floor(max(0, 1000 - 1000 * slope * math.sqrt((bad + b) / (of + n))) + 0.5)
published, payers, reviews = rows()
volume = bad = beyond = heads = grief = 0
for payer in payers:
    kept, lost, owed = (sum(w * m for w, m in zip(WEIGHTS, payer["weeks"][of])) // 1000 for of in ("kept", "lost", "owed"))
    own = min(lost, kept)
    both = kept + own + owed
    weight = min(both, 50_000) + min(max(both - 50_000, 0), 500_000) // 10
    good, head = weight * kept // max(both, 1), min(kept, 5_000) // 5
    volume, bad, beyond = volume + good, bad + weight - good, beyond + lost - own
    heads, grief = heads + head, grief + head * payer["grief"] // 1000
bad += min(beyond, volume // 100)
unhappy = sum(r["voice"] * [1000, 667, 333, 0, 0][r["accuracy_rating"] - 1] // 1000 for r in reviews)
weeks = next(c for c in published["components"] if c["name"] == "longevity")["inputs"]["active_weeks"]
parts = [part(bad, volume + bad, 9_000, 100_000, 2), part(unhappy, volume // 12 + unhappy, 4_800, 30_000, 1.5),
         math.floor(min(1000, 400 + 200 * math.log10(1 + volume / 10_000)) + 0.5),
         math.floor(400 + 600 * min(weeks, 26) / 26 + 0.5), part(grief, heads, 4_800, 30_000, 1.5)]
mean = (sum(w * p for w, p in zip((40, 20, 15, 10, 15), parts)) + 50) // 100
score = min(mean, 300 + min(parts[:2]), 200 if published["refund_overdue"] else 1000)
print(json.dumps({"recomputed": score, "parts": parts, "published": published["value"], "payers": len(payers)}))
