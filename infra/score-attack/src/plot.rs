//! Line plots as SVG, with a logarithmic axis from left to right.

use std::fmt::Write;

/// A line: its name, and its points.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the key says.
    pub name: String,
    /// Points from left to right.
    pub points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What it shows, in one sentence.
    pub title: String,
    /// What the horizontal axis says.
    pub across: String,
    /// Marks of the horizontal axis. The first and the last one are its ends.
    pub marks: Vec<f64>,
    /// Ends of the vertical axis: scores.
    pub up: (f64, f64),
    /// The score below which the key stands, where no line is.
    pub key_below: f64,
    /// The lines.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
/// Colours that people with any kind of colour vision can tell apart (Okabe and Ito), and dashes for everybody else.
const STYLES: [(&str, &str); 5] =
    [("#0072b2", "none"), ("#d55e00", "8 3"), ("#009e73", "2 3"), ("#cc79a7", "10 3 2 3"), ("#555555", "4 4")];

impl Plot {
    /// The plot as an SVG document.
    #[must_use]
    pub fn svg(&self) -> String {
        let (first, last) = (self.marks.first().copied().unwrap_or(1.0), self.marks.last().copied().unwrap_or(10.0));
        let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * (value.clamp(first, last) / first).ln() / (last / first).ln();
        let y = |value: f64| {
            let share = (value.clamp(self.up.0, self.up.1) - self.up.0) / (self.up.1 - self.up.0);
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
        };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>\n",
            title = self.title,
        );
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        let mut score = self.up.0;
        while score <= self.up.1 {
            let at = y(score);
            let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#dddddd\"/>");
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{score}</text>", LEFT - 8.0, at + 4.0);
            score += 100.0;
        }
        for mark in &self.marks {
            let at = x(*mark);
            let _ = writeln!(svg, "<path d=\"M{at:.1} {bottom}v5\" stroke=\"#555555\"/>");
            let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{mark}</text>", bottom + 18.0);
        }
        let middle = f64::midpoint(LEFT, right);
        let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", HEIGHT - 14.0, self.across);
        for (at, line) in self.lines.iter().enumerate() {
            let (colour, dashes) = STYLES[at % STYLES.len()];
            let points: Vec<String> = line.points.iter().map(|(across, up)| format!("{:.1},{:.1}", x(*across), y(*up))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>",
                points.join(" "),
            );
            let row = y(self.key_below) + 14.0 + 16.0 * at as f64;
            let _ = writeln!(
                svg,
                "<path d=\"M{:.1} {row:.1}h26\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>",
                LEFT + 12.0,
            );
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", LEFT + 46.0, row + 4.0, line.name);
        }
        svg.push_str("</svg>\n");
        svg
    }
}
