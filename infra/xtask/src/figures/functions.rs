//! Sizes and cold starts of the functions, from the last measurement (`infra/functions.json`).

use serde_json::Value;

/// The section, from the measurement's JSON.
pub(super) fn section(measured: &Value) -> String {
    let mut lines = format!(
        "\n## Functions\n\nMeasured by `cargo xtask cold-starts` on what `sam build` makes ({}), on {}; medians of {} starts. *Ready* is from the \
         start of\nthe process to its first question for work, *first reply* from there to the end of its first work: a health check, or a scheduled \
         run on an\nempty table. AWS takes its own time before that, for the download and the environment; then it gives 256 MB about a seventh \
         of a core.\n\n| function | package | ready | first reply | memory |\n|---|---|---|---|---|\n",
        measured["architecture"].as_str().unwrap_or_default(),
        measured["measured_on"].as_str().unwrap_or_default(),
        measured["starts"],
    );
    for (name, function) in measured["functions"].as_object().into_iter().flatten() {
        let number = |field: &str| function[field].as_f64().unwrap_or_default();
        lines.push_str(&format!(
            "| {name} | {:.2} MB | {:.0} ms | {:.0} ms | {:.0} MB |\n",
            number("package_bytes") / 1e6,
            number("ready_ms"),
            number("first_reply_ms"),
            number("memory_bytes") / 1e6,
        ));
    }
    lines
}
