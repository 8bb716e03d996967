//! Which URLs may be called, as far as their text tells.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use url::{Host, Url};

use super::{SelfHost, hostname, is_public};
use crate::config::Config;

/// Longest endpoint URL, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

/// What this deployment lets sellers use.
#[derive(Debug, Clone)]
pub struct OutboundRules {
    pub(super) insecure: bool,
    /// The machine's own programs are behind a container bridge: private IPv4 addresses stand for loopback.
    pub(super) bridged: bool,
    pub(super) ports: Vec<u16>,
    pub(super) own: Url,
    pub(super) self_host: SelfHost,
}

impl OutboundRules {
    /// The rules of a deployment.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            insecure: config.insecure_endpoints,
            bridged: config.insecure_endpoints && config.in_sam_container,
            ports: config.endpoint_ports.clone(),
            own: config.public_url.clone(),
            self_host: SelfHost::of_process(),
        }
    }

    /// Whether an address that a name leads to may be dialled.
    pub(super) fn admits(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.admits_literal(ip)
    }

    /// Whether an address may be spelled in a URL: on a local stack the machine's own, otherwise none.
    pub(super) fn admits_literal(&self, ip: IpAddr) -> bool {
        let bridge = matches!(ip, IpAddr::V4(ip) if self.bridged && ip.is_private());
        bridge || (self.insecure && ip.to_canonical().is_loopback())
    }
}

/// Why an endpoint URL is refused: a sentence for the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlRefused(pub &'static str);

impl fmt::Display for UrlRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UrlRefused {}

/// A URL that a call may go to, as far as its text tells. Prints as nothing but its scheme.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(pub(super) Url);

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({}://…)", self.0.scheme())
    }
}

impl EndpointUrl {
    /// Parses a URL and refuses it where its text already says that it may not be called.
    ///
    /// # Errors
    /// [`UrlRefused`] with the rule that was broken.
    pub fn parse(text: &str, rules: &OutboundRules) -> Result<Self, UrlRefused> {
        if text.len() > MAX_URL_BYTES {
            return Err(UrlRefused("it is longer than 2,048 bytes"));
        }
        // The parser would read over these, and what is stored would not be what was sent.
        if text.chars().any(|c| c.is_control() || c == '\\' || c == ' ') {
            return Err(UrlRefused("it must not contain spaces, backslashes or control characters"));
        }
        let url = Url::parse(text).map_err(|_| UrlRefused("it is not an absolute URL"))?;
        let url = without_trailing_dot(url, rules)?;
        check(&url, rules)?;
        let endpoint = Self(url);
        match endpoint.uri() {
            Ok(_) if endpoint.0.as_str().len() <= MAX_URL_BYTES => Ok(endpoint),
            Ok(_) => Err(UrlRefused("it is longer than 2,048 bytes")),
            Err(()) => Err(UrlRefused("it cannot be requested over HTTP")),
        }
    }

    /// The URL's text: for the secret that keeps it, and for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The same for a request.
    pub(super) fn uri(&self) -> Result<Uri, ()> {
        self.0.as_str().parse().map_err(|_| ())
    }
}

/// The same URL with its host spelled without the root's dot; read again, as it may be something else now.
fn without_trailing_dot(mut url: Url, rules: &OutboundRules) -> Result<Url, UrlRefused> {
    let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) else { return Ok(url) };
    check(&url, rules)?;
    url.set_host(Some(&name)).map_err(|_| UrlRefused("it has no host"))?;
    Url::parse(url.as_str()).map_err(|_| UrlRefused("it is not an absolute URL"))
}

fn check(url: &Url, rules: &OutboundRules) -> Result<(), UrlRefused> {
    match url.scheme() {
        "https" => {}
        "http" if rules.insecure => {}
        _ => return Err(UrlRefused("its scheme must be https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused("it must not carry a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(UrlRefused("it must not have a fragment"));
    }
    if !rules.insecure && !rules.ports.contains(&url.port_or_known_default().unwrap_or(0)) {
        return Err(UrlRefused("its port must be 443, or another that the operator allows"));
    }
    match url.host() {
        None => Err(UrlRefused("it has no host")),
        Some(Host::Ipv4(ip)) => literal(ip.into(), rules),
        Some(Host::Ipv6(ip)) => literal(ip.into(), rules),
        Some(Host::Domain(name)) => name_of(name, url, rules),
    }
}

fn literal(ip: IpAddr, rules: &OutboundRules) -> Result<(), UrlRefused> {
    if rules.admits_literal(ip) { Ok(()) } else { Err(UrlRefused("its host must be a public DNS name, not an IP address")) }
}

fn name_of(name: &str, url: &Url, rules: &OutboundRules) -> Result<(), UrlRefused> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let own = rules.own.host_str().unwrap_or_default();
    let own = own.strip_suffix('.').unwrap_or(own).to_ascii_lowercase();
    // Programs of one machine share its name; there the port tells them apart.
    let same_port = !rules.insecure || url.port_or_known_default() == rules.own.port_or_known_default();
    if same_port && hostname::is_within(name, &own) || rules.self_host.answers_to(name) {
        return Err(UrlRefused("its host must not be this marketplace's own"));
    }
    if rules.insecure || hostname::is_public(name) { Ok(()) } else { Err(UrlRefused("its host must be a public DNS name")) }
}
