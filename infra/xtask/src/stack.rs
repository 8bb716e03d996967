//! `crochet-local parts`: everything except the functions, which run elsewhere.

use std::time::Duration;

use crate::background::Background;
use crate::net;
use crate::project::Project;

/// Start timeout of the parts.
const START: Duration = Duration::from_secs(60);

/// Settings that a function requires.
const NEEDED: [&str; 3] = ["CROCHET_DYNAMODB_ENDPOINT", "CROCHET_SECRETS_ENDPOINT", "CROCHET_RELAY_URL"];

/// The running parts. Dropping this stops them.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The base port, reserved for the functions and named by `CROCHET_PUBLIC_URL`. Sandbox Relay is at +1, the demo seller at +2,
    /// the embedded DynamoDB at +3, Secrets Manager at +4.
    pub(crate) base: u16,
    /// What the parts print as `export NAME=value`.
    pub(crate) exports: Vec<(String, String)>,
    /// Held for its `Drop`.
    _process: Background,
}

/// The secret of the edge that the suite stands for, and its SHA-256, which the functions are given.
pub(crate) const EDGE_SECRET: &str = "the-secret-of-the-edge-in-front-of-a-stack-that-the-suite-is-run";
const EDGE_SECRET_SHA256: &str = "55732b8269a13e53df3e4ecee0882ced3f04c942a328b7f73ea58d3d09caf45e";

impl Parts {
    /// Starts the parts next to a free base port, with the suite's edge in front.
    ///
    /// # Errors
    /// As [`Parts::start_at`], or if no ports are free.
    pub(crate) fn start(project: &Project, dynamodb: Option<&str>) -> Result<Self, String> {
        let mut parts = Self::start_at(project, net::free_ports(5)?, dynamodb)?;
        parts.exports.push(("CROCHET_EDGE_SECRET_SHA256".into(), EDGE_SECRET_SHA256.into()));
        Ok(parts)
    }

    /// Starts the parts next to this base port.
    ///
    /// # Errors
    /// If they do not listen, or print no complete exports, within a minute.
    pub(crate) fn start_at(project: &Project, base: u16, dynamodb: Option<&str>) -> Result<Self, String> {
        let mut parts = project.command(project.binary("crochet-local"));
        parts.arg("parts").env("CROCHET_PORT", base.to_string());
        if let Some(endpoint) = dynamodb {
            // A separate table, because the suite may use the same database.
            parts.env("CROCHET_DYNAMODB_ENDPOINT", endpoint).env("CROCHET_TABLE", format!("crochet-{base}"));
        }
        let mut process = Background::start("crochet-local parts", &parts, &project.log("parts")?)?;
        process.wait(START, || [base + 1, base + 2, base + 4].iter().all(|port| net::answers(*port).is_some()).then_some(()))?;
        let log = project.target.join("xtask/parts.log");
        let mut earlier = Vec::new();
        let exports = process.wait(START, || {
            // Complete when every required one is present and the next poll adds nothing.
            let now = exports(&crate::project::read(&log).ok()?);
            let complete = NEEDED.iter().all(|name| now.iter().any(|(given, _)| given == name)) && now == earlier;
            earlier.clone_from(&now);
            complete.then_some(now)
        })?;
        Ok(Self { base, exports, _process: process })
    }

    /// The loopback URL of the base port, or of a part by its offset from there.
    pub(crate) fn url(&self, offset: u16) -> String {
        format!("http://127.0.0.1:{}", self.base + offset)
    }

    /// The URL that callers use.
    pub(crate) fn public_url(&self) -> String {
        self.export("CROCHET_PUBLIC_URL").unwrap_or_else(|| self.url(0))
    }

    /// The DynamoDB of the functions.
    pub(crate) fn dynamodb(&self) -> String {
        self.export("CROCHET_DYNAMODB_ENDPOINT").unwrap_or_else(|| self.url(3))
    }

    /// The table of the functions.
    pub(crate) fn table(&self) -> String {
        self.export("CROCHET_TABLE").unwrap_or_else(|| "crochet".to_owned())
    }

    fn export(&self, name: &str) -> Option<String> {
        self.exports.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// Parses `export NAME=value` lines. A value may be quoted.
fn exports(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.trim().strip_prefix("export ")?.split_once('=')?;
        let value = value.trim();
        let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        Some((name.trim().to_owned(), bare.unwrap_or(value).to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_read_with_and_without_quotes() {
        let text = "Crochet parts\n  export A=1\nexport B='x y'\nexport C=\"http://127.0.0.1:1/?a=b\"\nexported D=4\n";
        let expected = [("A", "1"), ("B", "x y"), ("C", "http://127.0.0.1:1/?a=b")];
        assert_eq!(exports(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
