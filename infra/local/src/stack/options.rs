//! How a stack is to be started.

use std::path::PathBuf;

use crate::seller_network::SellerNetwork;

/// Port of the site and the API where `CROCHET_PORT` says nothing.
const DEFAULT_PORT: u16 = 9_000;
/// The table's name where `CROCHET_TABLE` says nothing.
const DEFAULT_TABLE: &str = "crochet";

/// Settings that go from the environment to the functions as they are. Addresses are not among them: the stack has its own.
const PASSED_ON: [&str; 11] = [
    "CROCHET_ENDPOINT_PORTS",
    "CROCHET_EVM_RPC_URL",
    "CROCHET_FEE_BPS",
    "CROCHET_FEE_WALLET",
    "CROCHET_INSECURE_ENDPOINTS",
    "CROCHET_LISTING_CONCURRENCY",
    "CROCHET_LOG",
    "CROCHET_MAX_LISTINGS",
    "CROCHET_POW_DIFFICULTY",
    "CROCHET_RATE_LIMITS",
    "CROCHET_SECRET_PREFIX",
];

/// How a stack is to be started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The first of five ports; 0 takes five free ones.
    pub port: u16,
    /// Where data is kept; in memory where absent.
    pub data: Option<PathBuf>,
    /// Whether the site and the API are served; the parts alone otherwise.
    pub routers: bool,
    /// The table's name.
    pub table: String,
    /// A DynamoDB that is used instead of the embedded one.
    pub dynamodb_endpoint: Option<String>,
    /// Where the sandbox sends its webhooks.
    pub webhook_url: Option<String>,
    /// Variables that the functions get, beside and before the stack's own.
    pub settings: Vec<(String, String)>,
    /// What stands for the Internet when sellers are called; the machine's own network where absent.
    pub sellers: Option<SellerNetwork>,
}

impl Options {
    /// For tests: five free ports, everything in memory, nothing from the environment.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self {
            port: 0,
            data: None,
            routers: true,
            table: DEFAULT_TABLE.into(),
            dynamodb_endpoint: None,
            webhook_url: None,
            settings: Vec::new(),
            sellers: None,
        }
    }

    /// For people: ports from 9000 on, and what the environment says. An empty variable counts as unset.
    ///
    /// # Errors
    /// `CROCHET_PORT` is no usable port.
    pub fn from_env() -> Result<Self, String> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let port = match get("CROCHET_PORT") {
            None => DEFAULT_PORT,
            Some(text) => match text.parse::<u16>() {
                Ok(port @ 1..=65_531) => port,
                _ => {
                    return Err(
                        "CROCHET_PORT must be a port number between 1 and 65531: the stack takes five ports from there on.".into(),
                    );
                }
            },
        };
        Ok(Self {
            port,
            table: get("CROCHET_TABLE").unwrap_or_else(|| DEFAULT_TABLE.into()),
            dynamodb_endpoint: get("CROCHET_DYNAMODB_ENDPOINT"),
            webhook_url: get("CROCHET_SANDBOX_WEBHOOK_URL"),
            settings: PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?))).collect(),
            ..Self::ephemeral()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_and_empty_means_unset() {
        let options = Options::from_lookup(|name| match name {
            "CROCHET_PORT" => Some("9100".into()),
            "CROCHET_TABLE" => Some(String::new()),
            "CROCHET_INSECURE_ENDPOINTS" => Some("0".into()),
            _ => None,
        })
        .expect("good settings");
        assert_eq!((options.port, options.table.as_str()), (9_100, "crochet"));
        assert_eq!(options.settings, [("CROCHET_INSECURE_ENDPOINTS".to_owned(), "0".to_owned())]);
        assert!(Options::from_lookup(|_| Some("65535".into())).is_err());
    }
}
