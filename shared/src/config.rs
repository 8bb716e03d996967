//! Settings: environment variables, read once at start. An empty variable counts as unset.

mod edge;
mod own_keys;
mod provider_secret;
mod seeds;

use secrecy::SecretString;
use url::Url;

use crochet_domain::money::{FeeRate, Micros};
use crochet_domain::score::UNIT_FEE;
pub use edge::{EDGE_HEADERS, Edge};
pub use own_keys::OwnKeys;
pub use provider_secret::ProviderSecret;
pub use seeds::{Seed, Seeds};

/// The settings of a deployment. See the table in README.md; [`Config::from_env`] is the only reader.
#[derive(Clone, Debug)]
pub struct Config {
    /// Public URL of this deployment. Every absolute URL, signing domain and cookie host derives from it.
    pub public_url: Url,
    /// Whether the operator set no public URL for a deployed function. It then uses the name that API Gateway gave to its API, which
    /// the first request tells ([`Config::at`]).
    pub public_url_is_gateways: bool,
    /// Where the site asks the API: the public URL, unless the deployment has a shorter way.
    pub api_url: Url,
    /// Name of the DynamoDB table.
    pub table: String,
    /// URL of a DynamoDB other than AWS's own.
    pub dynamodb_endpoint: Option<String>,
    /// URL of a Secrets Manager other than AWS's own.
    pub secrets_endpoint: Option<String>,
    /// Id of the secret in Secrets Manager with the payment provider's key.
    pub provider_secret_id: String,
    /// Id of the secret with the deployment's own keys.
    pub keys_secret_id: String,
    /// Id of the secret from which receipts are signed.
    pub receipt_secret_id: String,
    /// Prefix of the names of endpoint secrets.
    pub secret_prefix: String,
    /// Where the next version of an endpoint's secret is kept. Each endpoint says where its present one is.
    pub endpoint_secrets: EndpointStore,
    /// Secrets of endpoints that may be created in Secrets Manager in a day (UTC).
    pub endpoint_secrets_per_day: u32,
    /// How many may exist there.
    pub max_endpoint_secrets: u32,
    /// Id of the secret with the keys that seal endpoints.
    pub keyring_secret_id: String,
    /// URL of the payment provider.
    pub provider_url: Url,
    /// URL of an EVM node, to verify signatures of contract wallets. Without it, they are not accepted. Providers put keys into such URLs.
    pub evm_rpc_url: Option<SecretString>,
    /// Id of the secret in Secrets Manager that holds the URL of the EVM node, for deployed functions.
    pub node_secret_id: Option<String>,
    /// The marketplace fee.
    pub fee_rate: FeeRate,
    /// The fee for which a call counts in full in scores.
    pub unit_fee: Micros,
    /// The operator's EVM wallet, to which the provider credits fees.
    pub fee_wallet: String,
    /// Number of leading zero hex digits of a proof of work.
    pub pow_difficulty: u8,
    /// Where to report a weakness: a `mailto:` or `https:` URI. Without it, there is no `security.txt`.
    pub security_contact: Option<String>,
    /// Maximum number of listings per profile.
    pub max_listings: u32,
    /// Profiles that may be registered in a day (UTC), in the whole deployment.
    pub registrations_per_day: u32,
    /// Listings that may be created in a day (UTC), in the whole deployment.
    pub listings_per_day: u32,
    /// Maximum number of calls in flight at one listing.
    pub listing_concurrency: u32,
    /// Maximum number of quotes that this deployment requests from the payment provider per minute.
    pub provider_quotes_per_minute: u32,
    /// Maximum number of questions about payments that this deployment asks the provider per minute.
    pub provider_questions_per_minute: u32,
    /// What tells that a request came through the deployment's own edge. Without it, no request does.
    pub edge: Edge,
    /// Ports allowed in sellers' endpoint URLs.
    pub endpoint_ports: Vec<u16>,
    /// Allows http, loopback addresses and any port in sellers' endpoint URLs. Local only.
    pub insecure_endpoints: bool,
    /// Whether this function runs in a container of `sam local`, from where the host's programs have a private address.
    pub in_sam_container: bool,
    /// Factor of the rate, quote, listing, edit and provider limits: 1, or 100 on a local stack.
    pub limit_factor: u32,
    /// Whether the clock follows the sandbox's. Local only.
    pub movable_clock: bool,
}

/// Where the secret of an endpoint is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointStore {
    /// In Secrets Manager, one secret for each.
    PerListing,
    /// In the listing's item, sealed with a key of the keyring.
    Sealed,
}

impl EndpointStore {
    /// The store of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "per-listing" => Some(Self::PerListing),
            "sealed" => Some(Self::Sealed),
            _ => None,
        }
    }
}

/// A setting that cannot be used: the variable and what it must be. It does not show the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// Stands for the public URL until API Gateway has told it. Scheduled functions, which reply to nobody, keep it.
const UNKNOWN_YET: &str = "https://unknown.invalid";

/// Fee wallet of local stacks: the well-known burn address, so that no real wallet is named by mistake.
pub const LOCAL_FEE_WALLET: &str = "0x000000000000000000000000000000000000dEaD";

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first variable that cannot be used, or a local-only setting in a deployed function.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads settings through `lookup`; see [`Config::from_env`].
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let insecure_endpoints = flag(&get, "CROCHET_INSECURE_ENDPOINTS", "1", "0")?;
        let relaxed = flag(&get, "CROCHET_RATE_LIMITS", "relaxed", "exact")?;
        let movable_clock = flag(&get, "CROCHET_CLOCK", "movable", "system")?;
        refuse_local_settings_when_deployed(&get, insecure_endpoints, relaxed, movable_clock)?;
        let public_url_is_gateways = is_deployed(&get) && get("CROCHET_PUBLIC_URL").is_none();
        let own = if public_url_is_gateways { UNKNOWN_YET } else { "http://localhost:9000" };
        let public_url = url(&get, "CROCHET_PUBLIC_URL", own)?;
        Ok(Self {
            api_url: url(&get, "CROCHET_API_URL", public_url.as_str())?,
            public_url,
            public_url_is_gateways,
            table: get("CROCHET_TABLE").unwrap_or_else(|| "crochet".into()),
            dynamodb_endpoint: get("CROCHET_DYNAMODB_ENDPOINT"),
            secrets_endpoint: get("CROCHET_SECRETS_ENDPOINT"),
            provider_secret_id: get("CROCHET_PROVIDER_SECRET_ID").unwrap_or_else(|| "crochet/provider".into()),
            keys_secret_id: get("CROCHET_KEYS_SECRET_ID").unwrap_or_else(|| "crochet/keys".into()),
            receipt_secret_id: get("CROCHET_RECEIPT_SECRET_ID").unwrap_or_else(|| "crochet/receipts".into()),
            secret_prefix: get("CROCHET_SECRET_PREFIX").unwrap_or_else(|| "crochet/listing/".into()),
            endpoint_secrets: endpoint_store(&get)?,
            endpoint_secrets_per_day: number(&get, "CROCHET_ENDPOINT_SECRETS_PER_DAY", 200)?,
            max_endpoint_secrets: number(&get, "CROCHET_MAX_ENDPOINT_SECRETS", 1_000)?,
            keyring_secret_id: get("CROCHET_KEYRING_SECRET_ID").unwrap_or_else(|| "crochet/keyring".into()),
            provider_url: url(&get, "CROCHET_RELAY_URL", "https://api.relay.link")?,
            evm_rpc_url: evm_rpc_url(&get)?,
            node_secret_id: get("CROCHET_NODE_SECRET_ID"),
            fee_rate: FeeRate::from_bps(number(&get, "CROCHET_FEE_BPS", 490)?)
                .ok_or_else(|| problem("CROCHET_FEE_BPS", "must be at most 10000"))?,
            unit_fee: match number(&get, "CROCHET_UNIT_FEE_MICROS", UNIT_FEE.0)? {
                fee @ 1..=1_000_000_000 => Micros(fee),
                _ => return Err(problem("CROCHET_UNIT_FEE_MICROS", "must be between 1 and 1000000000")),
            },
            fee_wallet: get("CROCHET_FEE_WALLET").unwrap_or_else(|| LOCAL_FEE_WALLET.into()),
            pow_difficulty: match number(&get, "CROCHET_POW_DIFFICULTY", 5_u8)? {
                difficulty @ 1..=10 => difficulty,
                _ => return Err(problem("CROCHET_POW_DIFFICULTY", "must be between 1 and 10")),
            },
            security_contact: security_contact(&get)?,
            max_listings: number(&get, "CROCHET_MAX_LISTINGS", 20)?,
            registrations_per_day: number(&get, "CROCHET_REGISTRATIONS_PER_DAY", 2_000)?,
            listings_per_day: number(&get, "CROCHET_LISTINGS_PER_DAY", 1_000)?,
            listing_concurrency: number(&get, "CROCHET_LISTING_CONCURRENCY", 50)?,
            provider_quotes_per_minute: number(&get, "CROCHET_PROVIDER_QUOTES_PER_MINUTE", 50)?,
            provider_questions_per_minute: number(&get, "CROCHET_PROVIDER_QUESTIONS_PER_MINUTE", 200)?,
            edge: Edge::parse(&get("CROCHET_EDGE_SECRET_SHA256").unwrap_or_default())
                .ok_or_else(|| problem("CROCHET_EDGE_SECRET_SHA256", "must be one or two SHA-256, in hex, separated by a comma"))?,
            endpoint_ports: ports(&get, "CROCHET_ENDPOINT_PORTS")?,
            insecure_endpoints,
            in_sam_container: get("AWS_SAM_LOCAL").as_deref() == Some("true"),
            limit_factor: if relaxed { 100 } else { 1 },
            movable_clock,
        })
    }

    /// The same settings with this public URL.
    #[must_use]
    pub fn at(&self, public_url: Url) -> Self {
        let api_url = if self.api_url == self.public_url { public_url.clone() } else { self.api_url.clone() };
        Self { public_url, api_url, public_url_is_gateways: false, ..self.clone() }
    }

    /// The signing domain: the authority of the public URL. The scheme's default port is left out.
    #[must_use]
    pub fn domain(&self) -> String {
        self.public_url.authority().to_owned()
    }

    /// An absolute URL of this deployment; `path` starts with `/`.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

fn problem(variable: &'static str, problem: &str) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

fn flag(get: &impl Fn(&str) -> Option<String>, name: &'static str, on: &str, off: &str) -> Result<bool, ConfigError> {
    match get(name) {
        None => Ok(false),
        Some(value) if value == on => Ok(true),
        Some(value) if value == off => Ok(false),
        Some(_) => Err(problem(name, &format!("must be `{on}`, `{off}` or unset"))),
    }
}

fn number<T: std::str::FromStr>(get: &impl Fn(&str) -> Option<String>, name: &'static str, default: T) -> Result<T, ConfigError> {
    get(name).map_or(Ok(default), |text| text.parse().map_err(|_| problem(name, "must be a whole number in range")))
}

fn endpoint_store(get: &impl Fn(&str) -> Option<String>) -> Result<EndpointStore, ConfigError> {
    const NAME: &str = "CROCHET_ENDPOINT_SECRETS";
    let Some(name) = get(NAME) else { return Ok(EndpointStore::PerListing) };
    EndpointStore::parse(&name).ok_or_else(|| problem(NAME, "must be `per-listing` or `sealed`"))
}

/// Port numbers separated by commas; 443 by default.
fn ports(get: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<Vec<u16>, ConfigError> {
    let Some(text) = get(name) else { return Ok(vec![443]) };
    let port = |text: &str| text.trim().parse().ok().filter(|port| *port > 0);
    text.split(',').map(port).collect::<Option<_>>().ok_or_else(|| problem(name, "must be port numbers separated by commas"))
}

fn url(get: &impl Fn(&str) -> Option<String>, name: &'static str, default: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(&get(name).unwrap_or_else(|| default.into())).map_err(|_| problem(name, "must be an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(problem(name, "must be an http or https URL with a host"));
    }
    Ok(url)
}

/// RFC 9116 wants a URI, and one for a page must be https.
fn security_contact(get: &impl Fn(&str) -> Option<String>) -> Result<Option<String>, ConfigError> {
    const NAME: &str = "CROCHET_SECURITY_CONTACT";
    let Some(contact) = get(NAME) else { return Ok(None) };
    let is_uri = Url::parse(&contact).is_ok_and(|url| matches!(url.scheme(), "https" | "mailto"));
    let is_one_line = contact.bytes().all(|byte| byte.is_ascii_graphic());
    if is_uri && is_one_line { Ok(Some(contact)) } else { Err(problem(NAME, "must be a mailto: or https: URI")) }
}

/// The node's replies decide who may log in, so a deployed function connects to it over TLS only.
fn evm_rpc_url(get: &impl Fn(&str) -> Option<String>) -> Result<Option<SecretString>, ConfigError> {
    const NAME: &str = "CROCHET_EVM_RPC_URL";
    if get(NAME).is_none() {
        return Ok(None);
    }
    let url = url(get, NAME, "")?;
    if is_deployed(get) && url.scheme() != "https" {
        return Err(problem(NAME, "must be an https URL"));
    }
    Ok(Some(String::from(url).into()))
}

/// AWS sets `AWS_LAMBDA_INITIALIZATION_TYPE` in a real function; SAM local sets it too, with `AWS_SAM_LOCAL`.
fn is_deployed(get: &impl Fn(&str) -> Option<String>) -> bool {
    get("AWS_LAMBDA_INITIALIZATION_TYPE").is_some() && get("AWS_SAM_LOCAL").as_deref() != Some("true")
}

fn refuse_local_settings_when_deployed(
    get: &impl Fn(&str) -> Option<String>,
    insecure_endpoints: bool,
    relaxed: bool,
    movable_clock: bool,
) -> Result<(), ConfigError> {
    if !is_deployed(get) {
        return Ok(());
    }
    let refused = "is for local stacks only: a deployed function does not start with it";
    if insecure_endpoints {
        return Err(problem("CROCHET_INSECURE_ENDPOINTS", refused));
    }
    if relaxed {
        return Err(problem("CROCHET_RATE_LIMITS", refused));
    }
    if movable_clock {
        return Err(problem("CROCHET_CLOCK", refused));
    }
    if get("CROCHET_FEE_WALLET").is_none() {
        return Err(problem("CROCHET_FEE_WALLET", "must name the EVM wallet that receives the marketplace fee"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn empty_means_unset() {
        let config = read(&[("CROCHET_TABLE", ""), ("CROCHET_CLOCK", "")]).expect("defaults");
        assert_eq!((config.table.as_str(), config.pow_difficulty, config.limit_factor), ("crochet", 5, 1));
        assert_eq!(config.domain(), "localhost:9000");
        assert_eq!(config.absolute("/api"), "http://localhost:9000/api");
    }

    #[test]
    fn a_deployed_function_refuses_every_local_setting() {
        let deployed = [("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"), ("CROCHET_FEE_WALLET", "0x1")];
        assert!(read(&deployed).is_ok());
        assert!(read(&deployed[..1]).is_err(), "no fee wallet");
        for (name, value) in [("CROCHET_INSECURE_ENDPOINTS", "1"), ("CROCHET_RATE_LIMITS", "relaxed"), ("CROCHET_CLOCK", "movable")]
        {
            let mut pairs = deployed.to_vec();
            pairs.push((name, value));
            assert_eq!(read(&pairs).expect_err("refused").variable, name);
            pairs.push(("AWS_SAM_LOCAL", "true"));
            assert!(read(&pairs).is_ok(), "{name} under sam local");
        }
    }

    #[test]
    fn a_deployed_function_without_a_public_url_waits_for_api_gateways_name() {
        let deployed = [("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"), ("CROCHET_FEE_WALLET", "0x1")];
        let config = read(&deployed).expect("no public URL");
        assert!(config.public_url_is_gateways);
        let named = config.at(Url::parse("https://abc.execute-api.eu-west-1.amazonaws.com").expect("a URL"));
        assert!(!named.public_url_is_gateways);
        assert_eq!(named.domain(), "abc.execute-api.eu-west-1.amazonaws.com");
        let given = read(&[&deployed[..], &[("CROCHET_PUBLIC_URL", "https://market.example")]].concat()).expect("a public URL");
        assert!(!given.public_url_is_gateways && !read(&[]).expect("local").public_url_is_gateways);
    }

    #[test]
    fn a_deployed_function_asks_a_node_over_tls_only_and_never_tells_where_it_is() {
        let name = "CROCHET_EVM_RPC_URL";
        let deployed = [("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"), ("CROCHET_FEE_WALLET", "0x1")];
        let with = |url| read(&[&deployed[..], &[(name, url)]].concat());
        assert!(with("").expect("off").evm_rpc_url.is_none());
        let config = with("https://node.example/v2/hush").expect("https");
        assert!(config.evm_rpc_url.is_some() && !format!("{config:?}").contains("hush"));
        for bad in ["http://node.example/v2/hush", "wss://node.example/hush", "hush"] {
            let error = with(bad).expect_err("refused");
            assert_eq!(error.variable, name);
            assert!(!error.to_string().contains("hush"), "{error}");
        }
        assert!(read(&[(name, "http://127.0.0.1:8545")]).expect("local").evm_rpc_url.is_some());
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        assert_eq!(read(&[("CROCHET_CLOCK", "moveable")]).expect_err("refused").variable, "CROCHET_CLOCK");
        assert_eq!(read(&[("CROCHET_ENDPOINT_SECRETS", "open")]).expect_err("refused").variable, "CROCHET_ENDPOINT_SECRETS");
        assert_eq!(read(&[("CROCHET_ENDPOINT_PORTS", "443;8443")]).expect_err("refused").variable, "CROCHET_ENDPOINT_PORTS");
        assert_eq!(read(&[("CROCHET_ENDPOINT_PORTS", "443, 8443")]).expect("a list").endpoint_ports, [443, 8443]);
        for bad in ["security@crochet.example", "http://crochet.example/report", "mailto:a@b.example\nContact: c"] {
            assert_eq!(read(&[("CROCHET_SECURITY_CONTACT", bad)]).expect_err("refused").variable, "CROCHET_SECURITY_CONTACT");
        }
        let contact = read(&[("CROCHET_SECURITY_CONTACT", "mailto:security@crochet.example")]).expect("a URI").security_contact;
        assert_eq!(contact.as_deref(), Some("mailto:security@crochet.example"));
        assert_eq!(read(&[("CROCHET_EDGE_SECRET_SHA256", "hush")]).expect_err("refused").variable, "CROCHET_EDGE_SECRET_SHA256");
        assert_eq!(read(&[("CROCHET_PUBLIC_URL", "/x")]).expect_err("refused").variable, "CROCHET_PUBLIC_URL");
    }
}
