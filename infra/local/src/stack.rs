//! Starts and stops all parts of the local stack in one process.

mod options;
mod scheduled;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use axum::middleware::from_fn;
use crochet::app::{App, CostLog};
use crochet::clock::Clock;
use crochet::config::Config;
use crochet_catalog::snapshot_writer::Schedule;
use crochet_client::{Client, SandboxControls, SellerControls};
pub use crochet_gateway::sweep::{Swept, TIMES, Times};
pub use crochet_listings::secret_sweep::SecretsSwept;
pub use crochet_reviews::score::run::Ran;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use options::{Options, Rewire, Settings, Webhooks};
use scheduled::SCHEDULE;
pub use scheduled::Scheduled;

use crate::api::api_router;
use crate::audit_log::{AUDIT_LOG, AuditLog};
use crate::demo_seller::DemoSeller;
use crate::dynamodb;
use crate::sandbox::Sandbox;
use crate::secrets::{KEYRING_SECRET, KEYS_SECRET, NODE_SECRET, PROVIDER_SECRET, RECEIPT_SECRET, Secrets};
use crate::serve::serve;

/// A running stack. Dropping it aborts its parts; [`Stack::stop`] lets open requests finish.
pub struct Stack {
    site: Option<String>,
    relay: String,
    seller: String,
    dynamodb: String,
    secrets: String,
    clock: Clock,
    env: Vec<(String, String)>,
    stop: watch::Sender<bool>,
    parts: JoinSet<()>,
    costs: CostLog,
    audit: AuditLog,
}

impl Stack {
    /// Starts the parts. When this returns, all of them are reachable.
    ///
    /// # Errors
    /// One sentence with the cause, for example the port that is in use or the file that cannot be opened.
    pub async fn start(options: Options) -> Result<Self, String> {
        // Binds all ports before it starts any part.
        let site = match options.routers {
            true => Some(listen(&options, 0, "the site and the API").await?),
            false => None,
        };
        let relay = listen(&options, 1, "the sandbox Relay").await?;
        let seller = listen(&options, 2, "the demo seller").await?;
        let dynamodb = listen(&options, 3, "DynamoDB").await?;
        let secrets = listen(&options, 4, "Secrets Manager").await?;

        if let Some(data) = &options.data {
            fs::create_dir_all(data).map_err(|error| format!("{} could not be created: {error}", data.display()))?;
        }
        let (stop, stopped) = watch::channel(false);
        let public_url = match &site {
            Some(site) => format!("http://localhost:{}", port(site)?),
            None => format!("http://localhost:{}", options.port),
        };
        let mut stack = Self {
            site: site.is_some().then(|| public_url.clone()),
            relay: url(&relay)?,
            seller: url(&seller)?,
            dynamodb: options.dynamodb_endpoint.clone().unwrap_or(url(&dynamodb)?),
            secrets: url(&secrets)?,
            clock: Clock::system(),
            env: Vec::new(),
            stop,
            parts: JoinSet::new(),
            costs: CostLog::default(),
            audit: AuditLog::default(),
        };
        stack.env = stack.settings(&options, &public_url);
        if let Some(site) = &site {
            // The name in the public URL may be one that this machine cannot look up.
            stack.env.push(("CROCHET_API_URL".to_owned(), url(site)?));
        }
        if let Some(Rewire(rewire)) = &options.rewire {
            rewire(&mut stack.env);
        }

        let webhook_url = match &options.webhooks {
            Webhooks::Off => None,
            Webhooks::ToGateway => stack.site.as_ref().map(|site| format!("{site}/api/v1/webhooks/relay")),
            Webhooks::To(url) => Some(url.clone()),
        };
        let sandbox = Sandbox::open(stack.clock.clone(), &stack.relay, webhook_url, options.data.as_deref())?;
        stack.parts.spawn(serve(relay, sandbox.router(), stopped.clone()));
        stack.parts.spawn(serve(seller, DemoSeller::new(stack.clock.clone()).router(), stopped.clone()));
        if options.dynamodb_endpoint.is_none() {
            let database = dynamodb::open(options.data.as_deref())?;
            stack.parts.spawn(dynamodb::serve(dynamodb, database, stopped.clone()));
        }
        dynamodb::create_table(&stack.dynamodb, &options.table).await?;
        let emulator = Secrets::open(options.data.as_deref().map(secrets_directory), stack.clock.clone()).await?;
        emulator.create_operator_secrets().await?;
        stack.audit = emulator.audit().clone();
        stack.parts.spawn(serve(secrets, emulator.router(), stopped.clone()));
        if let Some(site) = site {
            let (router, costs) = api_router(&stack.env, stack.clock.clone(), options.sellers.as_ref()).await?;
            stack.costs = costs;
            let router = match options.kill_switch.clone() {
                Some(switch) => router.layer(from_fn(move |request, next| switch.clone().guard(request, next))),
                None => router,
            };
            stack.parts.spawn(serve(site, router, stopped));
        }
        if options.scheduled {
            let scheduled = Scheduled::connect(&stack.env, stack.clock.clone()).await?;
            stack.parts.spawn(scheduled.run_every(SCHEDULE));
        }
        Ok(stack)
    }

    /// Same as [`Stack::start`], on a thread and a runtime that live as long as the process.
    ///
    /// For tests: each has its own short-lived runtime, and a shared stack must outlive them all. It can be called from anywhere,
    /// including a `OnceLock`.
    ///
    /// # Errors
    /// Same as [`Stack::start`].
    pub fn start_detached(options: Options) -> Result<Self, String> {
        let (give, take) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(give.send(Err(error.to_string()))),
            };
            runtime.block_on(async {
                let _ = give.send(Self::start(options).await);
                std::future::pending::<()>().await;
            });
        });
        take.recv().map_err(|_| "the stack's thread ended before the stack was started")?
    }

    /// The environment variables of a function that runs against this stack.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }

    /// The URL of the site and the API, without a trailing slash. `None` if only the parts run.
    #[must_use]
    pub fn site_url(&self) -> Option<&str> {
        self.site.as_deref()
    }

    /// The URL of the sandbox Relay.
    #[must_use]
    pub fn relay_url(&self) -> &str {
        &self.relay
    }

    /// The URL of the demo seller.
    #[must_use]
    pub fn seller_url(&self) -> &str {
        &self.seller
    }

    /// The URL of DynamoDB.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb
    }

    /// The URL of Secrets Manager.
    #[must_use]
    pub fn secrets_url(&self) -> &str {
        &self.secrets
    }

    /// The clock of the whole stack.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A client of this stack's API. If only the parts run, it uses the port reserved for the API.
    #[must_use]
    pub fn client(&self) -> Client {
        let public = self.env.iter().find(|(name, _)| name == "CROCHET_PUBLIC_URL").map(|(_, url)| url.as_str());
        // The public URL may differ from the local one.
        Client::new(self.site_url().or(public).unwrap_or_default())
    }

    /// What recent requests to the API cost, by request id.
    #[must_use]
    pub fn costs(&self) -> &CostLog {
        &self.costs
    }

    /// The controls of the sandbox Relay.
    #[must_use]
    pub fn sandbox(&self) -> SandboxControls {
        SandboxControls::new(&self.relay)
    }

    /// The controls of the demo seller.
    #[must_use]
    pub fn seller(&self) -> SellerControls {
        SellerControls::new(&self.seller)
    }

    /// Writes a snapshot of the catalogue, as its schedule does: if it is due, or in any case. Returns the outcome.
    pub async fn write_snapshot(&self, in_any_case: bool) -> Result<String, String> {
        let schedule = if in_any_case { Schedule::Always } else { Schedule::IfDue };
        self.scheduled().await?.write_snapshot(schedule).await
    }

    /// A warm instance of the scheduled functions. Use it on the runtime that it was made on: its connections live there.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub async fn scheduled(&self) -> Result<Scheduled, String> {
        Scheduled::connect(&self.env, self.clock.clone()).await
    }

    /// Sweeps once, as the sweeper's schedule does, in a cold instance.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub async fn sweep(&self) -> Result<Swept, String> {
        self.scheduled().await?.sweep().await
    }

    /// Sweeps once, within these times.
    ///
    /// # Errors
    /// As [`Stack::sweep`].
    pub async fn sweep_within(&self, times: Times) -> Result<Swept, String> {
        self.scheduled().await?.sweep_within(times).await
    }

    /// Sweeps the endpoint secrets once, as their sweeper's schedule does.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub async fn sweep_secrets(&self) -> Result<SecretsSwept, String> {
        self.scheduled().await?.sweep_secrets().await
    }

    /// Counts scores once, as their schedule does.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub async fn count_scores(&self) -> Result<Ran, String> {
        Scheduled::connect(&self.env, self.clock.clone()).await?.count_scores().await
    }

    /// As [`Stack::count_scores`], with this time for comparing one seller with its calls.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub async fn count_scores_within(&self, within: std::time::Duration) -> Result<Ran, String> {
        Scheduled::connect(&self.env, self.clock.clone()).await?.count_scores_within(within).await
    }

    /// The configuration, clock and table of this stack, as a function sees them.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub async fn app(&self) -> Result<App, String> {
        let config = Config::from_lookup(|name| self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
        Ok(App::unconnected(config.map_err(|error| error.to_string())?).await.with_clock(self.clock.clone()))
    }

    /// The operator's audit trail.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.audit
    }

    /// Starts a second instance of every function over the same table. Returns a client of it and the log of what its requests
    /// cost.
    ///
    /// # Errors
    /// If no port is free or a part cannot start.
    pub async fn another_instance(&self) -> Result<(Client, CostLog), String> {
        self.instance(&self.env).await
    }

    /// Starts an instance of every function over another table of the same database. Returns a client of it.
    ///
    /// # Errors
    /// As [`Stack::another_instance`].
    pub async fn instance_at(&self, table: &str) -> Result<Client, String> {
        let other = self.env.iter().map(|(name, value)| {
            let value = if name == "CROCHET_TABLE" { table } else { value };
            (name.clone(), value.to_owned())
        });
        Ok(self.instance(&other.collect::<Vec<_>>()).await?.0)
    }

    async fn instance(&self, env: &[(String, String)]) -> Result<(Client, CostLog), String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string())?;
        let url = format!("http://localhost:{}", port(&listener)?);
        let (router, costs) = api_router(env, self.clock.clone(), None).await?;
        tokio::spawn(serve(listener, router, self.stop.subscribe()));
        Ok((Client::new(&url), costs))
    }

    /// Stops all parts; open requests have two seconds to finish.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        // The embedded DynamoDB waits for its clients without a limit, so this bounds the wait.
        let all = async { while self.parts.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), all).await;
    }

    /// Addresses and local-only settings. The caller's settings override both.
    fn settings(&self, options: &Options, public_url: &str) -> Vec<(String, String)> {
        let mut settings: Vec<(String, String)> = [
            ("CROCHET_PUBLIC_URL", public_url),
            ("CROCHET_TABLE", &options.table),
            ("CROCHET_DYNAMODB_ENDPOINT", &self.dynamodb),
            ("CROCHET_SECRETS_ENDPOINT", &self.secrets),
            ("CROCHET_PROVIDER_SECRET_ID", PROVIDER_SECRET),
            ("CROCHET_KEYS_SECRET_ID", KEYS_SECRET),
            ("CROCHET_KEYRING_SECRET_ID", KEYRING_SECRET),
            ("CROCHET_NODE_SECRET_ID", NODE_SECRET),
            ("CROCHET_RECEIPT_SECRET_ID", RECEIPT_SECRET),
            ("CROCHET_AUDIT_LOG", AUDIT_LOG),
            ("CROCHET_LOGS_ENDPOINT", &self.secrets),
            ("CROCHET_RELAY_URL", &self.relay),
            ("CROCHET_POW_DIFFICULTY", "4"),
            ("CROCHET_INSECURE_ENDPOINTS", "1"),
            ("CROCHET_RATE_LIMITS", "relaxed"),
            ("CROCHET_CLOCK", "movable"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        for (name, value) in &options.settings {
            match settings.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.clone_from(value),
                None => settings.push((name.clone(), value.clone())),
            }
        }
        settings
    }
}

fn secrets_directory(data: &Path) -> std::path::PathBuf {
    data.join("secrets")
}

async fn listen(options: &Options, offset: u16, part: &str) -> Result<TcpListener, String> {
    let port = match options.port {
        0 => 0,
        base => base
            .checked_add(offset)
            .ok_or("CROCHET_PORT must be at most 65531, because the stack uses five ports from that number on")?,
    };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "Port {port}, for {part}, is in use by another program. Stop that program, or set CROCHET_PORT: the stack \
             uses five ports from that number on."
        ),
        _ => format!("Port {port}, for {part}, cannot be used ({error}). Set CROCHET_PORT to another port."),
    })
}

fn port(listener: &TcpListener) -> Result<u16, String> {
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn url(listener: &TcpListener) -> Result<String, String> {
    Ok(format!("http://127.0.0.1:{}", port(listener)?))
}
