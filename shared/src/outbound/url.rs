//! Which URLs may be called, judged by their text.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use url::{Host, Url};

use super::{SelfHost, hostname, is_public};
use crate::config::Config;

/// Maximum length of an endpoint URL in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

/// Which endpoints a deployment allows.
#[derive(Debug, Clone)]
pub struct OutboundRules {
    /// Allows `http`, loopback addresses and any port. Local stacks only.
    pub(super) insecure: bool,
    /// Allows private IPv4 addresses too: inside a SAM container they stand for the host's loopback.
    pub(super) bridged: bool,
    /// Allowed ports, unless `insecure`.
    pub(super) ports: Vec<u16>,
    /// Public URL of this deployment, which no endpoint may use.
    pub(super) public_url: Url,
    pub(super) self_host: SelfHost,
}

impl OutboundRules {
    /// The rules that `config` sets.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            insecure: config.insecure_endpoints,
            bridged: config.insecure_endpoints && config.in_sam_container,
            ports: config.endpoint_ports.clone(),
            public_url: config.public_url.clone(),
            self_host: SelfHost::of_process(),
        }
    }

    /// What is allowed, in sentences for sellers.
    #[must_use]
    pub fn in_words(&self) -> String {
        let never = "It has no credentials and no fragment, and is at most 2,048 bytes long.";
        if self.insecure {
            return format!(
                "This local stack allows http and https, loopback addresses such as http://127.0.0.1, and any port. {never}"
            );
        }
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        let ports = ports.join(", ");
        format!("This deployment allows https URLs whose host is a DNS name with public addresses only, on port {ports}. {never}")
    }

    /// Whether a host name may resolve to this address.
    pub(super) fn allows(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.allows_literal(ip)
    }

    /// Whether a URL may contain this address: loopback on a local stack, otherwise none.
    pub(super) fn allows_literal(&self, ip: IpAddr) -> bool {
        let bridge = matches!(ip, IpAddr::V4(ip) if self.bridged && ip.is_private());
        bridge || (self.insecure && ip.to_canonical().is_loopback())
    }
}

/// Why an endpoint URL is rejected, in words for the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlRefused(pub &'static str);

/// A URL whose text the rules allow. `Debug` prints only its scheme.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(pub(super) Url);

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({}://…)", self.0.scheme())
    }
}

impl EndpointUrl {
    /// Parses a URL and checks it against the rules, as far as possible without a name lookup.
    ///
    /// # Errors
    /// [`UrlRefused`] with the rule that it breaks.
    pub fn parse(text: &str, rules: &OutboundRules) -> Result<Self, UrlRefused> {
        if text.len() > MAX_URL_BYTES {
            return Err(UrlRefused("it must be at most 2,048 bytes long"));
        }
        // The parser skips or rewrites these, so the stored URL would differ from the one the seller sent.
        if text.chars().any(|c| c.is_control() || c == '\\' || c == ' ') {
            return Err(UrlRefused("it must not contain spaces, backslashes or control characters"));
        }
        let url = Url::parse(text).map_err(|_| UrlRefused("it must be an absolute URL"))?;
        let url = without_trailing_dot(url, rules)?;
        check(&url, rules)?;
        let endpoint = Self(url);
        match endpoint.uri() {
            Ok(_) if endpoint.0.as_str().len() <= MAX_URL_BYTES => Ok(endpoint),
            Ok(_) => Err(UrlRefused("it must be at most 2,048 bytes long")),
            Err(()) => Err(UrlRefused("it must be a valid HTTP URL")),
        }
    }

    /// The URL as text. Use only for the secret that stores it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The URL in the HTTP client's type.
    pub(super) fn uri(&self) -> Result<Uri, ()> {
        self.0.as_str().parse().map_err(|_| ())
    }
}

/// The URL without the trailing dot of its host. It is parsed again, because the host may now be an IP address.
fn without_trailing_dot(mut url: Url, rules: &OutboundRules) -> Result<Url, UrlRefused> {
    let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) else { return Ok(url) };
    check(&url, rules)?;
    url.set_host(Some(&name)).map_err(|_| UrlRefused("it must have a host"))?;
    Url::parse(url.as_str()).map_err(|_| UrlRefused("it must be an absolute URL"))
}

fn check(url: &Url, rules: &OutboundRules) -> Result<(), UrlRefused> {
    match url.scheme() {
        "https" => {}
        "http" if rules.insecure => {}
        _ => return Err(UrlRefused("its scheme must be https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused("it must not contain a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(UrlRefused("it must not have a fragment"));
    }
    if !rules.insecure && !rules.ports.contains(&url.port_or_known_default().unwrap_or(0)) {
        return Err(UrlRefused("its port must be 443 or one that the operator allows"));
    }
    match url.host() {
        None => Err(UrlRefused("it must have a host")),
        Some(Host::Ipv4(ip)) => check_literal(ip.into(), rules),
        Some(Host::Ipv6(ip)) => check_literal(ip.into(), rules),
        Some(Host::Domain(name)) => check_name(name, url, rules),
    }
}

fn check_literal(ip: IpAddr, rules: &OutboundRules) -> Result<(), UrlRefused> {
    if rules.allows_literal(ip) { Ok(()) } else { Err(UrlRefused("its host must be a public DNS name, not an IP address")) }
}

fn check_name(name: &str, url: &Url, rules: &OutboundRules) -> Result<(), UrlRefused> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let own = rules.public_url.host_str().unwrap_or_default();
    let own = own.strip_suffix('.').unwrap_or(own).to_ascii_lowercase();
    // On a local stack the programs share one host name and differ by port.
    let same_port = !rules.insecure || url.port_or_known_default() == rules.public_url.port_or_known_default();
    if same_port && hostname::is_within(name, &own) || rules.self_host.matches(name) {
        return Err(UrlRefused("its host must not be this marketplace itself"));
    }
    if rules.insecure || hostname::is_public(name) { Ok(()) } else { Err(UrlRefused("its host must be a public DNS name")) }
}
