//! Options of a stack.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::kill_switch::KillSwitch;
use crate::seller_network::SellerNetwork;

/// Default of `CROCHET_PORT`: the port of the site and the API.
const DEFAULT_PORT: u16 = 9_000;
/// Default of `CROCHET_TABLE`.
const DEFAULT_TABLE: &str = "crochet";

/// Settings that are passed from the environment to the functions. The stack sets the addresses itself.
const PASSED_ON: [&str; 17] = [
    "CROCHET_ENDPOINT_PORTS",
    "CROCHET_ENDPOINT_SECRETS",
    "CROCHET_EVM_RPC_URL",
    "CROCHET_FEE_BPS",
    "CROCHET_FEE_WALLET",
    "CROCHET_INSECURE_ENDPOINTS",
    "CROCHET_LISTINGS_PER_DAY",
    "CROCHET_LISTING_CONCURRENCY",
    "CROCHET_LOG",
    "CROCHET_MAX_LISTINGS",
    "CROCHET_POW_DIFFICULTY",
    "CROCHET_PROVIDER_QUESTIONS_PER_MINUTE",
    "CROCHET_PROVIDER_QUOTES_PER_MINUTE",
    "CROCHET_RATE_LIMITS",
    "CROCHET_REGISTRATIONS_PER_DAY",
    "CROCHET_SECURITY_CONTACT",
    "CROCHET_SECRET_PREFIX",
];

/// Where the sandbox sends its webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Webhooks {
    /// Nowhere.
    Off,
    /// To the gateway of this stack, if it serves one.
    ToGateway,
    /// To this URL.
    To(String),
}

/// Options of a stack.
#[derive(Debug, Clone)]
pub struct Options {
    /// The first of five ports; 0 takes five free ones.
    pub port: u16,
    /// Directory for data. In memory if absent.
    pub data: Option<PathBuf>,
    /// Whether to serve the site and the API.
    pub routers: bool,
    /// The table's name.
    pub table: String,
    /// A DynamoDB to use instead of the embedded one.
    pub dynamodb_endpoint: Option<String>,
    /// Where the sandbox sends its webhooks.
    pub webhooks: Webhooks,
    /// Whether scheduled work runs by itself, every ten seconds.
    pub scheduled: bool,
    /// Environment variables of the functions. They override the stack's own.
    pub settings: Vec<(String, String)>,
    /// The network for calls to sellers. The system's network if absent.
    pub sellers: Option<SellerNetwork>,
    /// Changes the settings of the functions once the addresses of all parts are known.
    pub rewire: Option<Rewire>,
    /// Ends requests to the API as if their process had died.
    pub kill_switch: Option<KillSwitch>,
}

/// Environment variables: names and values.
pub type Settings = Vec<(String, String)>;

/// A change of the functions' environment variables. Only code can set it: tests put proxies in front of the stack's parts.
#[derive(Clone)]
pub struct Rewire(pub Arc<dyn Fn(&mut Settings) + Send + Sync>);

impl fmt::Debug for Rewire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewire")
    }
}

impl Options {
    /// For tests: five free ports, everything in memory, no webhooks, no scheduled work, nothing from the environment.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self {
            port: 0,
            data: None,
            routers: true,
            table: DEFAULT_TABLE.into(),
            dynamodb_endpoint: None,
            webhooks: Webhooks::Off,
            scheduled: false,
            settings: Vec::new(),
            sellers: None,
            rewire: None,
            kill_switch: None,
        }
    }

    /// For people: reads the environment. An empty variable counts as unset.
    ///
    /// # Errors
    /// If `CROCHET_PORT` is not a usable port.
    pub fn from_env() -> Result<Self, String> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The URL of DynamoDB of a stack that runs with these options and a fixed port.
    #[must_use]
    pub fn dynamodb_url(&self) -> String {
        self.dynamodb_endpoint.clone().unwrap_or_else(|| format!("http://127.0.0.1:{}", self.port.saturating_add(3)))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let port = match get("CROCHET_PORT") {
            None => DEFAULT_PORT,
            Some(text) => match text.parse::<u16>() {
                Ok(port @ 1..=65_531) => port,
                _ => {
                    return Err(
                        "CROCHET_PORT must be a port number between 1 and 65531: the stack uses five ports from that number on."
                            .into(),
                    );
                }
            },
        };
        Ok(Self {
            port,
            table: get("CROCHET_TABLE").unwrap_or_else(|| DEFAULT_TABLE.into()),
            dynamodb_endpoint: get("CROCHET_DYNAMODB_ENDPOINT"),
            webhooks: get("CROCHET_SANDBOX_WEBHOOK_URL").map_or(Webhooks::ToGateway, Webhooks::To),
            scheduled: true,
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
        assert_eq!(options.webhooks, Webhooks::ToGateway);
        assert_eq!(options.settings, [("CROCHET_INSECURE_ENDPOINTS".to_owned(), "0".to_owned())]);
        assert!(Options::from_lookup(|_| Some("65535".into())).is_err());
    }
}
