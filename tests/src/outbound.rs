//! A stack whose functions reach every destination through a proxy.

use std::sync::Arc;

use crochet_local::{KillSwitch, Rewire, Settings};

use crate::failure::Failure;
use crate::proxy::Proxy;
use crate::runtime::runtime;
use crate::setup::Setup;
use crate::world::World;

/// Where the functions send requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// The table.
    DynamoDb,
    /// The secrets of endpoints.
    SecretsManager,
    /// The payment provider.
    Provider,
    /// The seller's endpoint.
    Seller,
}

impl Destination {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DynamoDb, Self::SecretsManager, Self::Provider, Self::Seller];

    /// The setting that names it. Listings name sellers.
    fn setting(self) -> Option<&'static str> {
        match self {
            Self::DynamoDb => Some("CROCHET_DYNAMODB_ENDPOINT"),
            Self::SecretsManager => Some("CROCHET_SECRETS_ENDPOINT"),
            Self::Provider => Some("CROCHET_RELAY_URL"),
            Self::Seller => None,
        }
    }
}

/// A proxy in front of each destination, and a switch that kills the functions' process.
pub struct Outbound {
    proxies: Vec<(Destination, Arc<Proxy>)>,
    kill_switch: KillSwitch,
}

impl Outbound {
    /// Starts the proxies.
    pub fn start() -> Result<Self, Failure> {
        let kill_switch = KillSwitch::default();
        let start = |destination| Ok((destination, Arc::new(runtime().block_on(Proxy::to_be_aimed(kill_switch.clone()))?)));
        let proxies = Destination::ALL.into_iter().map(start).collect::<Result<_, Failure>>()?;
        Ok(Self { proxies, kill_switch })
    }

    /// The setup of a stack behind these proxies. Only one stack can use it.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let named: Vec<_> = self.proxies.iter().filter_map(|(at, proxy)| Some((at.setting()?, Arc::clone(proxy)))).collect();
        let rewire = move |settings: &mut Settings| {
            for (name, url) in settings {
                if let Some((_, proxy)) = named.iter().find(|(setting, _)| setting == name) {
                    proxy.aim(url);
                    proxy.url().clone_into(url);
                }
            }
        };
        Setup { rewire: Some(Rewire(Arc::new(rewire))), kill_switch: Some(self.kill_switch.clone()), ..Setup::default() }
    }

    /// The proxy in front of a destination.
    ///
    /// # Panics
    /// Never: each destination has one.
    #[must_use]
    pub fn at(&self, destination: Destination) -> &Proxy {
        let found = self.proxies.iter().find(|(at, _)| *at == destination);
        found.map(|(_, proxy)| &**proxy).expect("each destination has a proxy")
    }

    /// The URL, through the proxy, of this path of the demo seller.
    #[must_use]
    pub fn seller_url(&self, world: &World, path: &str) -> String {
        let proxy = self.at(Destination::Seller);
        proxy.aim(&world.seller.url(""));
        format!("{}{path}", proxy.url())
    }

    /// Ends every outage. Planned faults stay planned.
    pub fn recover(&self) {
        for (_, proxy) in &self.proxies {
            proxy.recover();
        }
    }
}
