//! Which URLs may be called, as far as their text tells.

use std::fmt;

use url::{Host, Url};

use super::is_public;
use crate::config::Config;

/// Longest endpoint URL.
pub const MAX_URL_BYTES: usize = 2_048;
/// What this deployment lets sellers use.
#[derive(Debug, Clone)]
pub struct OutboundRules {
    pub(super) insecure: bool,
    /// The machine's own programs are behind a container bridge: private IPv4 addresses stand for loopback.
    pub(super) bridged: bool,
    pub(super) own: Url,
}

impl OutboundRules {
    /// The rules of a deployment.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            insecure: config.insecure_endpoints,
            bridged: config.insecure_endpoints && config.in_sam_container,
            own: config.public_url.clone(),
        }
    }

    pub(super) fn admits(&self, ip: std::net::IpAddr) -> bool {
        is_public(ip) || self.is_this_machine(ip)
    }

    fn is_this_machine(&self, ip: std::net::IpAddr) -> bool {
        let bridge = matches!(ip, std::net::IpAddr::V4(ip) if self.bridged && ip.is_private());
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

/// Names that lead inside, whatever they resolve to.
const INSIDE: &[&str] = &["local", "internal", "localdomain", "localhost", "onion", "home.arpa", "lan", "corp", "intranet"];

impl EndpointUrl {
    /// Parses a URL and refuses it where its text already says that it may not be called.
    ///
    /// # Errors
    /// [`UrlRefused`] with the rule that was broken.
    pub fn parse(text: &str, rules: &OutboundRules) -> Result<Self, UrlRefused> {
        if text.len() > MAX_URL_BYTES {
            return Err(UrlRefused("it is longer than 2,048 bytes"));
        }
        let url = Url::parse(text).map_err(|_| UrlRefused("it is not an absolute URL"))?;
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
        if url.port().is_some_and(|port| port != 443) && !rules.insecure {
            return Err(UrlRefused("its port must be 443"));
        }
        match url.host() {
            None => return Err(UrlRefused("it has no host")),
            Some(Host::Ipv4(ip)) => literal(ip.into(), rules)?,
            Some(Host::Ipv6(ip)) => literal(ip.into(), rules)?,
            Some(Host::Domain(name)) => check_name(name, &url, rules)?,
        }
        Ok(Self(url))
    }

    /// The URL's text: for the secret that keeps it, and for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }
}

fn literal(ip: std::net::IpAddr, rules: &OutboundRules) -> Result<(), UrlRefused> {
    if rules.is_this_machine(ip) { Ok(()) } else { Err(UrlRefused("its host must be a public DNS name, not an IP address")) }
}

fn check_name(name: &str, url: &Url, rules: &OutboundRules) -> Result<(), UrlRefused> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let own = rules.own.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    if rules.insecure {
        return if name == own && url.port_or_known_default() == rules.own.port_or_known_default() {
            Err(UrlRefused("its host must not be this marketplace's own"))
        } else {
            Ok(())
        };
    }
    if name == own || name.strip_suffix(&own).is_some_and(|rest| rest.ends_with('.')) {
        return Err(UrlRefused("its host must not be this marketplace's own"));
    }
    if !name.contains('.')
        || INSIDE.iter().any(|inside| name == *inside || name.strip_suffix(inside).is_some_and(|rest| rest.ends_with('.')))
    {
        return Err(UrlRefused("its host must be a public DNS name"));
    }
    Ok(())
}
