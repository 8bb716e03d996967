//! `crochet-admin switches`: what the operator may close without a deployment.

use crochet::app::App;
use crochet::store::gate::Gate;

use crate::table::{json, table};

/// Closes or opens a gate. The next request sees it; for quotes, within a second.
///
/// # Errors
/// One sentence, if the table cannot be written.
pub(crate) async fn set(app: &App, gate: Gate, is_closed: bool) -> Result<String, String> {
    app.store.set_gate(gate, is_closed).await.map_err(|error| error.to_string())?;
    Ok(format!("{} are {}.\n", gate.as_str(), if is_closed { "closed" } else { "open" }))
}

/// All gates, with how much has passed today.
///
/// # Errors
/// One sentence, if the table cannot be read.
pub(crate) async fn show(app: &App, as_json: bool) -> Result<String, String> {
    let today = u32::try_from(app.clock.now().unix_timestamp().div_euclid(86_400)).unwrap_or_default();
    let mut gates = Vec::new();
    for gate in Gate::ALL {
        let state = app.store.gate(gate).await.map_err(|error| error.to_string())?;
        let passed = if state.day == today { state.passed } else { 0 };
        gates.push((gate.as_str(), state.is_closed, passed, state.kept));
    }
    if as_json {
        let shown: Vec<_> = gates
            .iter()
            .map(|(name, is_closed, passed, kept)| {
                serde_json::json!({ "name": name, "closed": is_closed, "passed_today": passed, "exist": kept })
            })
            .collect();
        return json(&shown);
    }
    let mut rows = vec![["switch", "state", "today", "in all"].map(str::to_owned).to_vec()];
    rows.extend(gates.iter().map(|(name, is_closed, passed, kept)| {
        let kept = if *kept == 0 { "-".to_owned() } else { kept.to_string() };
        vec![(*name).to_owned(), (if *is_closed { "closed" } else { "open" }).to_owned(), passed.to_string(), kept]
    }));
    Ok(table(&rows))
}
