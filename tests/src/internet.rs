//! An Internet of the suite's own: names that resolve as a test says, and every dial counted and led to a trap.
//!
//! The service looks names up and dials through this instead of the machine's network; its rules stay those of a deployment.

mod authority;
mod trap;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use crochet::outbound::Network;
use crochet_local::SellerNetwork;
use futures::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

pub use authority::Authority;
pub use trap::{Speech, Trap};

use crate::failure::Failure;

/// Where names lead that a test says nothing about.
pub const SELLER: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));
/// The names that the trap has a certificate for.
pub const ZONES: [&str; 2] = ["*.example.net", "*.example.com"];

/// Names, dials, and the trap at their end.
#[derive(Debug)]
pub struct Internet {
    /// Signs the certificates of this Internet's sellers.
    pub authority: Authority,
    /// The seller that every address leads to, unless a test says otherwise.
    pub trap: Trap,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What a name resolves to: the answers in turn, the last one for ever.
    names: HashMap<String, VecDeque<Vec<IpAddr>>>,
    /// Names that no answer ever comes for.
    stalled: HashSet<String>,
    /// Names whose look-ups wait until a test lets them go.
    held: HashMap<String, Arc<Hold>>,
    servers: HashMap<IpAddr, SocketAddr>,
    looked_up: Vec<String>,
    dialled: Vec<SocketAddr>,
}

/// Look-ups of one name that wait.
#[derive(Debug)]
pub struct Hold {
    asked: Semaphore,
    open: Semaphore,
}

impl Hold {
    /// Waits until a look-up has begun that was not waited for yet.
    pub async fn asked(&self) {
        if let Ok(permit) = self.asked.acquire().await {
            permit.forget();
        }
    }

    /// Lets one look-up go: the name leads to [`SELLER`].
    pub fn let_go(&self) {
        self.open.add_permits(1);
    }

    async fn answer(&self) -> io::Result<Vec<IpAddr>> {
        self.asked.add_permits(1);
        self.open.acquire().await.map_err(io::Error::other)?.forget();
        Ok(vec![SELLER])
    }
}

impl Internet {
    /// An Internet with a seller that speaks TLS under [`ZONES`].
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start() -> Result<Arc<Self>, Failure> {
        let authority = Authority::new()?;
        let trap = Trap::start(Speech::Tls(authority.server(&ZONES)?)).await?;
        Ok(Arc::new(Self { authority, trap, known: Mutex::default() }))
    }

    /// What a stack is given.
    #[must_use]
    pub fn for_stack(self: &Arc<Self>) -> SellerNetwork {
        SellerNetwork { network: Arc::clone(self) as Arc<dyn Network>, authorities: vec![self.authority.certificate()] }
    }

    /// Lets a name resolve to each of these in turn, and then to the last of them.
    pub fn resolve(&self, name: &str, answers: &[&[IpAddr]]) {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        self.known().names.insert(name.to_owned(), answers);
    }

    /// Lets look-ups of a name wait for ever.
    pub fn stall(&self, name: &str) {
        self.known().stalled.insert(name.to_owned());
    }

    /// Lets look-ups of a name wait until they are let go, each by itself.
    pub fn hold(&self, name: &str) -> Arc<Hold> {
        let hold = Arc::new(Hold { asked: Semaphore::new(0), open: Semaphore::new(0) });
        self.known().held.insert(name.to_owned(), Arc::clone(&hold));
        hold
    }

    /// Puts another server at an address.
    pub fn serve_at(&self, ip: IpAddr, server: SocketAddr) {
        self.known().servers.insert(ip, server);
    }

    /// What has been dialled since this was asked last.
    #[must_use]
    pub fn take_dialled(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.known().dialled)
    }

    /// The names that have been looked up since this was asked last.
    #[must_use]
    pub fn take_looked_up(&self) -> Vec<String> {
        std::mem::take(&mut self.known().looked_up)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Network for Internet {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let name = name.trim_end_matches('.');
        let mut known = self.known();
        known.looked_up.push(name.to_owned());
        if known.stalled.contains(name) {
            return Box::pin(std::future::pending());
        }
        if let Some(hold) = known.held.get(name).cloned() {
            return Box::pin(async move { hold.answer().await });
        }
        let answer = match known.names.get_mut(name) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap_or_default(),
            Some(answers) => answers.front().cloned().unwrap_or_default(),
            None => vec![SELLER],
        };
        Box::pin(async move { Ok(answer) })
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        let mut known = self.known();
        known.dialled.push(address);
        let server = known.servers.get(&address.ip()).copied().unwrap_or(self.trap.address());
        Box::pin(TcpStream::connect(server))
    }
}
