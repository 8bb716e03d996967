//! A simulated Internet: tests define how names resolve, and every connection is counted and redirected to a trap.
//!
//! The service uses it instead of the system's network, with the rules of a deployment.

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
use crate::runtime::block_on;

/// Creates an [`Internet`] for a stack to be started.
pub fn internet() -> Result<Arc<Internet>, Failure> {
    block_on(Internet::start())
}

/// Creates a trap on this machine, outside that Internet.
pub fn trap(speech: Speech) -> Result<Trap, Failure> {
    block_on(Trap::start(speech))
}

/// The address of names that a test does not define.
pub const SELLER: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));
/// The names in the trap's certificate.
pub const ZONES: [&str; 2] = ["*.example.net", "*.example.com"];

/// Name resolution, connections, and the trap.
#[derive(Debug)]
pub struct Internet {
    /// Signs the sellers' certificates.
    pub authority: Authority,
    /// The seller behind every address, unless a test defines another.
    pub trap: Trap,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What a name resolves to: each entry once, then the last one always.
    names: HashMap<String, VecDeque<Vec<IpAddr>>>,
    /// Names whose look-ups never complete.
    stalled: HashSet<String>,
    /// Names whose look-ups wait for the test.
    held: HashMap<String, Arc<Hold>>,
    servers: HashMap<IpAddr, SocketAddr>,
    looked_up: Vec<String>,
    dialled: Vec<SocketAddr>,
}

/// Waiting look-ups of one name.
#[derive(Debug)]
pub struct Hold {
    asked: Semaphore,
    open: Semaphore,
}

impl Hold {
    /// Waits for the next look-up to start.
    pub async fn asked(&self) {
        if let Ok(permit) = self.asked.acquire().await {
            permit.forget();
        }
    }

    /// Completes one look-up with [`SELLER`].
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
    /// Creates an Internet with a TLS seller for [`ZONES`].
    pub async fn start() -> Result<Arc<Self>, Failure> {
        let authority = Authority::new()?;
        let trap = Trap::start(Speech::Tls(authority.server(&ZONES)?)).await?;
        Ok(Arc::new(Self { authority, trap, known: Mutex::default() }))
    }

    /// The network for a stack.
    #[must_use]
    pub fn for_stack(self: &Arc<Self>) -> SellerNetwork {
        SellerNetwork { network: Arc::clone(self) as Arc<dyn Network>, authorities: vec![self.authority.certificate()] }
    }

    /// Makes a name resolve to each of these in turn, then to the last one.
    pub fn resolve(&self, name: &str, answers: &[&[IpAddr]]) {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        self.known().names.insert(name.to_owned(), answers);
    }

    /// Makes look-ups of a name hang.
    pub fn stall(&self, name: &str) {
        self.known().stalled.insert(name.to_owned());
    }

    /// Makes look-ups of a name wait until the test releases each of them.
    pub fn hold(&self, name: &str) -> Arc<Hold> {
        let hold = Arc::new(Hold { asked: Semaphore::new(0), open: Semaphore::new(0) });
        self.known().held.insert(name.to_owned(), Arc::clone(&hold));
        hold
    }

    /// Sets the server behind an address.
    pub fn serve_at(&self, ip: IpAddr, server: SocketAddr) {
        self.known().servers.insert(ip, server);
    }

    /// The connections since the last call.
    #[must_use]
    pub fn take_dialled(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.known().dialled)
    }

    /// The names looked up since the last call.
    #[must_use]
    pub fn take_looked_up(&self) -> Vec<String> {
        std::mem::take(&mut self.known().looked_up)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Network for Internet {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
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
