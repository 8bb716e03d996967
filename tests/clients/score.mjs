// The score in JavaScript, written from the documentation. It shares nothing with the service.
//
// Reads [{"payers": [[times, kept, lost, owed, grief]], "reviews": [[times, voice, accuracy_rating]], "active_weeks", "refund_overdue"}]
// and prints [{"parts": [reliability, accuracy, volume, longevity, reputation], "total"}].
import { readFileSync } from "node:fs";

// Sums are far below 2^53: numbers are exact integers here.
const div = (a, b) => Math.floor(a / b);
const rounded = (x) => Math.floor(x + 0.5);
const part = (bad, of, imaginaryBad, imaginaryOf, slope) =>
  rounded(Math.max(0, 1000 - 1000 * slope * Math.sqrt((bad + imaginaryBad) / (of + imaginaryOf))));

function score({ payers, reviews, active_weeks, refund_overdue }) {
  let volume = 0, bad = 0, beyond = 0, unhappy = 0, heads = 0, grief = 0;
  for (const [times, kept, lost, owed, letDown] of payers) {
    const own = Math.min(lost, kept);
    const both = kept + own + owed;
    const weight = Math.min(both, 50_000) + div(Math.min(Math.max(both - 50_000, 0), 500_000), 10);
    const good = both ? div(weight * kept, both) : 0;
    const head = div(Math.min(kept, 5_000), 5);
    volume += times * good;
    bad += times * (weight - good);
    beyond += times * (lost - own);
    heads += times * head;
    grief += times * div(head * letDown, 1000);
  }
  for (const [times, voice, stars] of reviews) unhappy += times * div(voice * [1000, 667, 333, 0, 0][stars - 1], 1000);
  bad += Math.min(beyond, div(volume, 100));
  const reliability = part(bad, volume + bad, 9_000, 100_000, 2.0);
  const accuracy = part(unhappy, div(volume, 12) + unhappy, 4_800, 30_000, 1.5);
  const reputation = part(grief, heads, 4_800, 30_000, 1.5);
  const size = rounded(Math.min(1000, 400 + 200 * Math.log10(1 + volume / 10_000)));
  const longevity = rounded(400 + (600 * Math.min(active_weeks, 26)) / 26);
  const parts = [reliability, accuracy, size, longevity, reputation];
  const mean = div([40, 20, 15, 10, 15].reduce((sum, weight, i) => sum + weight * parts[i], 50), 100);
  const total = Math.min(mean, 300 + Math.min(reliability, accuracy), refund_overdue ? 200 : 1000);
  return { parts, total };
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(score)));
