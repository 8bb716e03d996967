//! Scores, computed again from the calls.

use crochet::app::App;
use crochet_reviews::score::run::recompute as recompute_all;
use serde_json::json;

/// Compares every seller's counts with its calls, and counts its score. Returns what was done.
///
/// # Errors
/// One sentence, if the table cannot be read, or a seller could not be counted.
pub(crate) async fn recompute(app: &App, as_json: bool) -> Result<String, String> {
    let ran = recompute_all(app).await.map_err(|error| error.to_string())?;
    if ran.failed > 0 {
        return Err(format!("{} sellers could not be counted; the log says why. Run it again.", ran.failed));
    }
    if as_json {
        return Ok(json!({ "sellers": ran.compared, "days_replaced": ran.differed }).to_string());
    }
    Ok(format!("{} sellers were compared with their calls. {} days differed and were replaced.\n", ran.compared, ran.differed))
}
