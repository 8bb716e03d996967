//! Runs the black-box suite and passes it its settings.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::go::Go;
use crate::places::{self, Places};
use crate::project::{Project, read, write};
use crate::stack::EDGE_SECRET;
use crate::{command, generated_clients, tools};

/// Clients of the suite that use independent libraries.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    python: Option<PathBuf>,
    node_modules: Option<PathBuf>,
    anvil: Option<PathBuf>,
    go: Option<Go>,
    generated: Option<PathBuf>,
}

impl Clients {
    /// The clients that earlier runs installed.
    pub(crate) fn installed(project: &Project) -> Self {
        let (python, node_modules) = tools::installed_clients(project);
        let anvil = node_modules.as_deref().and_then(tools::anvil);
        Self { python, node_modules, anvil, go: Go::installed(project), generated: generated_clients::built(project) }
    }

    /// Installs what is missing. Go is optional.
    ///
    /// # Errors
    /// If Python or Node.js is missing, or a registry cannot be reached.
    pub(crate) fn install(project: &Project) -> Result<Self, String> {
        let (python, node_modules) = (tools::clients_python(project)?, tools::node_modules(project)?);
        let (anvil, go) = (tools::anvil(&node_modules), Go::install(project)?);
        Ok(Self { python: Some(python), node_modules: Some(node_modules), anvil, go, generated: None })
    }

    /// Generates the clients of the OpenAPI document.
    ///
    /// # Errors
    /// If one cannot be generated or compiled.
    pub(crate) fn generate(&mut self, project: &Project) -> Result<(), String> {
        self.generated = Some(generated_clients::build(project, self.go.as_ref())?);
        Ok(())
    }

    /// Whether Go is available.
    pub(crate) fn have_go(&self) -> bool {
        self.go.is_some()
    }
}

/// A running stack to test. The URLs are reachable for the suite.
#[derive(Debug)]
pub(crate) struct RunningStack {
    /// Site and API.
    pub(crate) base: String,
    /// Sandbox Relay.
    pub(crate) sandbox: String,
    /// Demo seller.
    pub(crate) seller: String,
    /// DynamoDB.
    pub(crate) dynamodb: String,
    /// The table in it.
    pub(crate) table: String,
    /// Secrets Manager.
    pub(crate) secrets: String,
    /// How functions are invoked with an event.
    pub(crate) invoke: Invoke,
    /// This machine's address for the stack, where tests start sellers.
    pub(crate) own_address: IpAddr,
}

/// How functions are invoked with an event.
#[derive(Debug)]
pub(crate) enum Invoke {
    /// Through Lambda's API below this URL.
    Url(String),
    /// By a program that takes the function's name in the template, and reads the event.
    Program(PathBuf),
}

impl Invoke {
    fn variable(&self) -> (&'static str, &OsStr) {
        match self {
            Self::Url(url) => ("CROCHET_TEST_INVOKE_URL", url.as_ref()),
            Self::Program(program) => ("CROCHET_TEST_INVOKE_PROGRAM", program.as_os_str()),
        }
    }
}

/// The suite's command. The target is selected by name, not with `--package`, so that its dependencies are built once, with
/// the features of the whole workspace.
fn command(project: &Project, clients: &Clients, filter: Option<&str>) -> Command {
    let mut suite = project.cargo(&["test", "--quiet", "--workspace", "--test", "blackbox", "--"]);
    suite.args(filter);
    if let Some(python) = &clients.python {
        suite.env("CROCHET_TEST_PYTHON", python);
    }
    if let Some(node_modules) = &clients.node_modules {
        suite.env("CROCHET_TEST_NODE_MODULES", node_modules);
    }
    if let Some(chromium) = tools::chromium() {
        suite.env("CROCHET_TEST_CHROMIUM", chromium);
    }
    if let Some(anvil) = &clients.anvil {
        suite.env("CROCHET_TEST_ANVIL", anvil);
    }
    if let Some(generated) = &clients.generated {
        suite.env("CROCHET_TEST_GENERATED_CLIENTS", generated);
    }
    if let Some(go) = &clients.go {
        suite.env("CROCHET_TEST_GO", &go.program).env("CROCHET_TEST_GO_MODULES", &go.directory);
    }
    suite
}

/// The file in which a run of the suite on stacks of its own leaves what the functions asked of AWS.
pub(crate) fn actions(project: &Project) -> PathBuf {
    project.target.join("xtask/actions.json")
}

/// Runs the suite on stacks of its own, with this database or the embedded one.
///
/// # Errors
/// If a test fails or no test matches.
pub(crate) fn run(project: &Project, clients: &Clients, filter: Option<&str>, dynamodb: Option<&str>) -> Result<(), String> {
    some_match(project, clients, filter)?;
    let mut suite = command(project, clients, filter);
    write(&actions(project), "[]")?;
    suite.env("CROCHET_TEST_ACTIONS", actions(project));
    if let Some(endpoint) = dynamodb {
        // With more concurrent tests, the Java database is slower than the service's timeout of one second.
        suite.env("CROCHET_DYNAMODB_ENDPOINT", endpoint).env("RUST_TEST_THREADS", "4");
    }
    command::run(&mut suite)
}

/// Runs the suite's tests that match `filter` against a running stack, without those that this file lists. Returns which ran there.
///
/// # Errors
/// If a test fails or no test matches.
pub(crate) fn run_against(
    project: &Project,
    clients: &Clients,
    filter: Option<&str>,
    left_out: &str,
    stack: &RunningStack,
) -> Result<Places, String> {
    some_match(project, clients, filter)?;
    let mut suite = command(project, clients, filter);
    let left_out = places::listed(&read(&project.root.join(left_out))?);
    suite.args(left_out.iter().flat_map(|name| ["--skip", name]));
    suite.env("CROCHET_TEST_BASE_URL", &stack.base);
    suite.env("CROCHET_TEST_SANDBOX_URL", &stack.sandbox);
    suite.env("CROCHET_TEST_SELLER_URL", &stack.seller);
    suite.env("CROCHET_TEST_DYNAMODB_URL", &stack.dynamodb).env("CROCHET_TEST_TABLE", &stack.table);
    suite.env("CROCHET_TEST_SECRETS_URL", &stack.secrets);
    let (variable, invoke) = stack.invoke.variable();
    suite.env(variable, invoke).env("CROCHET_TEST_OWN_ADDRESS", stack.own_address.to_string());
    // Otherwise all tests would come from one address, and reach its limit of attempts.
    suite.env("CROCHET_TEST_EDGE_SECRET", EDGE_SECRET);
    suite.env("CROCHET_TEST_PLACES", Places::begin(project)?).env("RUST_TEST_THREADS", "4");
    command::run(&mut suite)?;
    Places::read(project, left_out)
}

/// Fails if no test matches, because a run without tests would pass.
fn some_match(project: &Project, clients: &Clients, filter: Option<&str>) -> Result<(), String> {
    let listed = command::capture(command(project, clients, filter).arg("--list"))?;
    if listed.lines().any(|line| line.ends_with(": test")) {
        return Ok(());
    }
    Err(match filter {
        Some(filter) => format!("no black-box test has a name that contains `{filter}`"),
        None => "the black-box suite is empty".into(),
    })
}
