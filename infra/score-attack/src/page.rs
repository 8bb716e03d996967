//! The page of the documentation about attacks, and its plots.

use std::fmt::Write;

use crate::exit::{BOUGHT, CHEATS};
use crate::figures::Figures;
use crate::inflation::{BY_PRICE, STRATEGIES, reached_for};
use crate::plot::{Line, Plot};
use crate::promises::{Ceiling, Floor, Parity};
use crate::ranking::{PROMISED, Ranking};
use crate::sabotage::{self, VICTIMS, left_after};

/// What was measured of the promises.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// No history scores more than the ceiling of its fees.
    pub ceiling: Ceiling,
    /// Own wallets never do better than honest customers.
    pub parity: Parity,
    /// What others can take.
    pub floor: Floor,
    /// How well honest sellers are ordered.
    pub ranking: Ranking,
}

/// A file of the documentation.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name in `docs/score/`.
    pub name: &'static str,
    /// Its content.
    pub text: String,
}

const OPENING: &str = "\
# What a score costs

`cargo xtask score-attack` writes this page. It plays each attack against the formula itself and searches for the cheapest plan.
Costs are in US dollars: fees that the operator keeps, what the payment provider takes, and 0.003 a wallet for its proof of work and its
funding. Somebody who buys from their own listing gets the price back. Somebody who buys from another seller does not.

Read the tables like this: everything that strangers can measure can be bought. What counts is the price.
";

/// The page and its plots.
#[must_use]
pub fn files(figures: &Figures, measured: &Measured) -> Vec<File> {
    let mut page = OPENING.to_owned();
    inflation(&mut page, figures);
    by_price(&mut page, figures);
    sabotage(&mut page, figures);
    exit(&mut page, figures);
    promises(&mut page, measured);
    vec![
        File { name: "attacks.md", text: page },
        File { name: "inflation.svg", text: inflation_plot().svg() },
        File { name: "sabotage.svg", text: sabotage_plot().svg() },
    ]
}

fn usd(figure: Option<f64>) -> String {
    match figure {
        None => "never".into(),
        Some(amount) if amount < 10.0 => format!("{amount:.2}"),
        Some(amount) => grouped(amount),
    }
}

/// A whole number with a comma between thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn row(page: &mut String, cells: &[String]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn head(page: &mut String, title: &str, text: &str, cells: &[&str]) {
    let _ = write!(page, "\n## {title}\n\n{text}\n\n");
    row(page, &cells.iter().map(ToString::to_string).collect::<Vec<_>>());
    row(page, &vec!["---".to_owned(); cells.len()]);
}

fn inflation(page: &mut String, figures: &Figures) {
    let text = "What it costs to lift a new seller, who has 400. Wallets and price are the cheapest that were found; each wallet writes a \
                five-star review, unless the row says otherwise.\n\n![Scores that own wallets reach for their cost](inflation.svg)";
    head(page, "Buying a score", text, &["Strategy", "500", "700", "800"]);
    for strategy in STRATEGIES {
        let cells = [500, 700, 800].map(|goal| usd(figures.get(&format!("inflation/{strategy}/{goal}"))));
        row(page, &[&[strategy.to_owned()], &cells[..]].concat());
    }
    let ring = usd(figures.get("inflation/ring of 20 sellers/500"));
    let _ = writeln!(
        page,
        "\nA ring of 20 sellers that share fresh wallets pays {ring} each for 500. Pairs that pay each other, free calls, and reversed \
         payments count nothing.",
    );
    for (name, what) in [("20 % failures", "20 % of whose calls fail"), ("30 % nonsense", "30 % of whose answers are of no use")] {
        let (score, cost) = (figures.get(&format!("hide/{name}/score")), usd(figures.get(&format!("hide/{name}/700"))));
        let _ = writeln!(
            page,
            "A seller with 1,000 honest calls, {what}, has {:.0} and pays {cost} for 700.",
            score.unwrap_or_default(),
        );
    }
}

fn by_price(page: &mut String, figures: &Figures) {
    let text =
        "The same at one price, in one week. From 10 cents on, a dearer call counts no more, so that the cheat pays more for it.";
    let cells = ["Price of a call", "Calls to 500", "500", "Fees of 50 calls", "Score after 50 calls", "700", "800", "900"];
    head(page, "By price", text, &cells);
    for (price, name) in BY_PRICE {
        let figure = |what: &str| figures.get(&format!("price/{name}/{what}"));
        let cell = |goal: &str| usd(figure(goal));
        let fees = usd(Some(50.0 * price as f64 * 0.049 / 1e6));
        let after = figure("score after 50 calls").unwrap_or_default();
        let calls = figure("calls to 500").map_or("never".into(), grouped);
        row(page, &[name.to_owned(), calls, cell("500"), fees, format!("{after:.0}"), cell("700"), cell("800"), cell("900")]);
    }
}

fn sabotage(page: &mut String, figures: &Figures) {
    let text = "What it costs to take 100 points from an honest seller at 10 cents: small (126 counted calls), middle (767), large (3,926). The \
                price goes to the victim. *Never* says how many points the attack takes at most.\n\n\
                ![Scores of the middle victim by what the attacker pays](sabotage.svg)";
    let heads: Vec<String> = VICTIMS
        .iter()
        .map(|victim| format!("{victim} ({:.0})", figures.get(&format!("sabotage/{victim}/score")).unwrap_or_default()))
        .collect();
    let mut cells = vec!["Strategy"];
    cells.extend(heads.iter().map(String::as_str));
    head(page, "Spoiling a score", text, &cells);
    for strategy in &sabotage::STRATEGIES {
        let cell = |victim: &str| {
            let name = format!("sabotage/{victim}/{}", strategy.name);
            match figures.get(&format!("{name}/cost")) {
                Some(cost) => {
                    format!("{} ({:.0} calls)", usd(Some(cost)), figures.get(&format!("{name}/calls")).unwrap_or_default())
                }
                None => match figures.get(&format!("{name}/most")).unwrap_or_default() {
                    0.0 => "never (0)".into(),
                    most => format!("never (−{most:.0})"),
                },
            }
        };
        row(page, &[&[strategy.name.to_owned()], &VICTIMS.map(cell)[..]].concat());
    }
}

fn exit(page: &mut String, figures: &Figures) {
    let text = "A score is bought with calls of 10 cents. Then each of many strangers is cheated once, until the score is below 700: how many they \
                are, and what the seller takes from them at 10 cents a call.";
    let mut cells = vec!["Bought", "Paid"];
    cells.extend(CHEATS.iter().map(|(name, _)| *name));
    head(page, "Leaving with the money", text, &cells);
    for bought in BOUGHT {
        let mut cells = vec![bought.to_string(), usd(figures.get(&format!("exit/{bought}/paid")))];
        for (cheat, _) in CHEATS {
            let victims = figures.get(&format!("exit/{bought}/{cheat}/victims")).unwrap_or_default();
            cells.push(format!("{}, takes {}", grouped(victims), usd(Some(victims * 0.0951))));
        }
        row(page, &cells);
    }
    page.push_str("\nLimit what you spend at a seller that you do not know, whatever its score is.\n");
}

fn promises(page: &mut String, measured: &Measured) {
    let Measured { ceiling, parity, floor, ranking } = measured;
    let text = "Tests hold the formula to these. All but the last one run with every change.";
    head(page, "What the formula promises", text, &["Promise", "Measured"]);
    let mut promise = |promise: &str, measured: String| row(page, &[promise.to_owned(), measured]);
    promise(
        "**Ceiling**: no history scores more than the ceiling of the fees received in 13 weeks",
        format!("{} random histories, {} above it", grouped(ceiling.histories.into()), ceiling.above),
    );
    promise(
        "**Parity**: own wallets never do better than honest customers with the same fees, and their reviews add nothing",
        format!("{} plans; best lead {}, reviews added {}", grouped(parity.plans.into()), parity.lead, parity.added_by_reviews),
    );
    promise("50 own calls at the listing's price add less than 100", format!("{} at most", floor.added_by_50_calls));
    promise(
        "**Floor**: one payer with 5 good calls, 5 lost ones and one star takes at most 99",
        format!("{} of {} sellers at most", floor.taken_by_one_payer, grouped(floor.sellers.into())),
    );
    promise("Strangers' failures that are paid back take at most 80", format!("{} at most", floor.taken_by_strangers));
    promise("What was paid and never presented takes nothing", format!("{}", floor.taken_by_unpresented));
    promise("100 points by reviews take 6 paid calls or more", format!("{} at least", floor.fewest_calls));
    promise(
        &format!(
            "**Ranking**: Kendall's tau with the true share of good calls is at least {} over all sellers, {} from 100 counted calls, {} from 1,000",
            PROMISED.all, PROMISED.from_100, PROMISED.from_1000,
        ),
        format!("{:.2}, {:.2}, {:.2}", ranking.all, ranking.from_100, ranking.from_1000),
    );
}

fn inflation_plot() -> Plot {
    let spent = || (0..=120).map(|step| 10_f64.powf(-1.0 + 3.1 * f64::from(step) / 120.0));
    let most = |weeks: u32| {
        let ceiling = |usd: f64| {
            let fees = crochet_domain::money::Micros((usd * 1e6) as i64);
            f64::from(crochet_domain::score::ceiling(fees, crochet_domain::score::UNIT_FEE, weeks))
        };
        spent().map(|usd| (usd, ceiling(usd))).collect()
    };
    Plot {
        title: "What own wallets reach in one week, and the most that any history reaches".into(),
        across: "US dollars (of fees, for the ceilings)".into(),
        marks: vec![0.1, 1.0, 10.0, 100.0],
        up: (400.0, 1_000.0),
        key_below: 1_000.0,
        lines: vec![
            Line { name: "ceiling with 26 active weeks".into(), points: most(26) },
            Line { name: "ceiling with one active week".into(), points: most(1) },
            Line { name: "own wallets".into(), points: spent().map(|usd| (usd, reached_for(usd) as f64)).collect() },
        ],
    }
}

fn sabotage_plot() -> Plot {
    let spent = || (0..=100).map(|step| 10_f64.powf(-1.0 + 3.0 * f64::from(step) / 100.0));
    let lines = sabotage::STRATEGIES.iter().filter(|strategy| strategy.name != "paid and never presented").map(|strategy| Line {
        name: strategy.name.into(),
        points: spent().map(|usd| (usd, left_after("middle", strategy, usd) as f64)).collect(),
    });
    Plot {
        title: "What is left of the middle victim's score".into(),
        across: "US dollars that the attacker pays".into(),
        marks: vec![0.1, 1.0, 10.0, 100.0],
        up: (0.0, 800.0),
        key_below: 280.0,
        lines: lines.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_easy_to_read() {
        assert_eq!([usd(None), usd(Some(0.327)), usd(Some(12.4)), usd(Some(1_178.2))], ["never", "0.33", "12", "1,178"]);
        assert_eq!([grouped(7.0), grouped(1_234_567.0), grouped(-5.0)], ["7", "1,234,567", "-5"]);
    }
}
