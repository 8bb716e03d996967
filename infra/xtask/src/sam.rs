//! The functions as they are shipped: `sam build`, then `sam local start-api` in containers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::background::Background;
use crate::places::Places;
use crate::project::{Project, write};
use crate::stack::Parts;
use crate::suite::{self, Clients, Invoke, RunningStack};
use crate::{command, forward, net, tools};

/// Timeout for the first reply. The first run pulls the runtime's image.
const FIRST_ANSWER: Duration = Duration::from_secs(300);

/// Parameters without a default. The functions get their real values through `--env-vars`.
const PARAMETERS: [&str; 2] = ["PublicUrl=https://example.org", "FeeWallet=0x000000000000000000000000000000000000dEaD"];

/// The tests that are left out, with the reason of each. A container holds one call at a time.
const LEFT_OUT: &str = "infra/tools/sam-left-out.txt";

/// Builds the functions with SAM, and runs the suite's tests that match `filter`, or all, through `sam local`. Returns which ran there.
///
/// # Errors
/// Without a container engine, if something does not build or start, or if a test fails.
pub(crate) fn test(project: &Project, clients: &Clients, filter: Option<&str>, dynamodb: Option<&str>) -> Result<Places, String> {
    command::run(project.command("infra/tools/container-engine").arg("start"))?;
    let bridge = bridge_address()?;
    let sam = Sam::new(project)?;
    build(project)?;
    command::run(&mut project.cargo(&["build", "--quiet", "--workspace", "--bins"]))?;
    let parts = Parts::start(project, dynamodb)?;
    let mut reachable = Reachable { bridge, ports: BTreeSet::new() };
    let mut settings = BTreeMap::new();
    for (name, value) in &parts.exports {
        // Callers use the public URL from outside the containers.
        let value = if name == "CROCHET_PUBLIC_URL" { value.clone() } else { reachable.url(value)? };
        settings.insert(name.as_str(), value);
    }
    // Pages ask the API, which they reach at another address than callers.
    settings.insert("CROCHET_API_URL", reachable.url(&parts.url(0))?);
    let variables = project.target.join("xtask/sam-variables.json");
    write(&variables, &serde_json::json!({ "Parameters": settings }).to_string())?;
    // Tests pass the seller's address to functions, so it must be reachable from containers.
    let stack = RunningStack {
        base: parts.public_url(),
        sandbox: parts.url(1),
        seller: reachable.url(&parts.url(2))?,
        dynamodb: parts.dynamodb(),
        table: parts.table(),
        secrets: parts.url(4),
        invoke: Invoke::Program(sam.invoke_script(&variables)?),
        own_address: bridge,
    };

    let _containers = Containers { earlier: lambda_containers() };
    let mut api = Background::start("sam local start-api", &sam.start_api(parts.base, &variables), &project.log("sam")?)?;
    let health = || net::get(([127, 0, 0, 1], parts.base).into(), "/api/v1/health", FIRST_ANSWER).filter(|a| a.status < 500);
    api.wait(FIRST_ANSWER, health)?;
    let outcome = suite::run_against(project, clients, filter, LEFT_OUT, &stack);
    outcome.map_err(|problem| format!("{problem}\n{}", api.last_words()))
}

/// Builds the functions with SAM. Returns where they are: a directory for each name in the template.
///
/// # Errors
/// If one does not build.
pub(crate) fn build(project: &Project) -> Result<PathBuf, String> {
    let sam = Sam::new(project)?;
    command::run(&mut sam.build()?)?;
    Ok(sam.built)
}

struct Sam<'a> {
    project: &'a Project,
    programs: PathBuf,
    built: PathBuf,
}

impl<'a> Sam<'a> {
    fn new(project: &'a Project) -> Result<Self, String> {
        Ok(Self { programs: tools::sam_programs(project)?, built: project.target.join("sam"), project })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut sam = self.project.command(self.programs.join("sam"));
        sam.args(arguments).args(["--region", "us-east-1"]).env("SAM_CLI_TELEMETRY", "0");
        sam.arg("--parameter-overrides").arg(format!("Architecture={ARCHITECTURE}")).args(PARAMETERS);
        sam
    }

    fn build(&self) -> Result<Command, String> {
        let mut sam = self.command(&["build", "--template-file", "template.yaml"]);
        sam.arg("--build-dir").arg(&self.built);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([self.programs.clone()].into_iter().chain(std::env::split_paths(&path)));
        sam.env("PATH", path.map_err(|error| format!("PATH: {error}"))?);
        Ok(sam)
    }

    fn start_api(&self, port: u16, variables: &Path) -> Command {
        let mut sam = self.command(&["local", "start-api", "--host", "127.0.0.1", "--port", &port.to_string()]);
        sam.args(["--warm-containers", "LAZY"]).args(self.container_options(variables));
        sam
    }

    /// Writes a program that invokes a function with the event on its standard input.
    fn invoke_script(&self, variables: &Path) -> Result<PathBuf, String> {
        let mut sam = self.command(&["local", "invoke", "--event", "-"]);
        sam.args(self.container_options(variables));
        let words = [sam.get_program()].into_iter().chain(sam.get_args()).map(|word| format!("'{}'", word.to_string_lossy()));
        let script = self.project.target.join("xtask/sam-invoke");
        write(&script, &format!("#!/bin/sh\nexport SAM_CLI_TELEMETRY=0\nexec {} \"$1\"\n", words.collect::<Vec<_>>().join(" ")))?;
        let runnable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&script, runnable).map_err(|error| format!("{}: {error}", script.display()))?;
        Ok(script)
    }

    fn container_options(&self, variables: &Path) -> Vec<OsString> {
        let template = self.built.join("template.yaml");
        let mut options: Vec<OsString> = vec!["--template-file".into(), template.into(), "--env-vars".into(), variables.into()];
        if docker(&["image", "inspect", &format!("public.ecr.aws/lambda/provided:al2023-{ARCHITECTURE}")]).is_ok() {
            options.push("--skip-pull-image".into());
        }
        options
    }
}

/// The architecture of this machine's processor.
pub(crate) const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

/// Loopback services made reachable for containers at the bridge's address.
struct Reachable {
    bridge: IpAddr,
    ports: BTreeSet<u16>,
}

impl Reachable {
    /// Rewrites a loopback URL to one that containers can reach. Any other text is unchanged.
    fn url(&mut self, text: &str) -> Result<String, String> {
        let Some((rest, port)) = loopback(text) else {
            return Ok(text.to_owned());
        };
        if self.ports.insert(port) {
            match forward::to_loopback(self.bridge, port) {
                Ok(()) => {}
                // DynamoDB Local already listens on all addresses.
                Err(error) if error.kind() == ErrorKind::AddrInUse && TcpStream::connect((self.bridge, port)).is_ok() => {}
                Err(error) => return Err(format!("{}:{port}: {error}", self.bridge)),
            }
        }
        Ok(format!("http://{}:{port}{rest}", self.bridge))
    }
}

/// The path and the port of a plain loopback URL.
fn loopback(text: &str) -> Option<(&str, u16)> {
    let rest = text.strip_prefix("http://127.0.0.1:").or_else(|| text.strip_prefix("http://localhost:"))?;
    let end = rest.find('/').unwrap_or(rest.len());
    Some((&rest[end..], rest[..end].parse().ok()?))
}

/// The host's address on the containers' network: Docker's gateway, or else the first address of the subnet.
fn bridge_address() -> Result<IpAddr, String> {
    let format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}} {{end}}";
    let told = docker(&["network", "inspect", "bridge", "--format", format])
        .map_err(|problem| format!("sam local needs Docker on Linux: {problem}"))?;
    gateway(&told).map(IpAddr::V4).ok_or_else(|| format!("Docker's bridge has no IPv4 network: {told}"))
}

fn gateway(told: &str) -> Option<Ipv4Addr> {
    let named = told.split_whitespace().find_map(|word| word.parse().ok());
    let first = || {
        let subnet = told.split_whitespace().find_map(|word| word.split_once('/')?.0.parse::<Ipv4Addr>().ok())?;
        Some(Ipv4Addr::from(u32::from(subnet) + 1))
    };
    named.or_else(first)
}

/// Removes the containers of this run, which an interrupted `sam local` leaves behind.
struct Containers {
    earlier: BTreeSet<String>,
}

impl Drop for Containers {
    fn drop(&mut self) {
        for container in lambda_containers().difference(&self.earlier) {
            // A container that cannot be removed does not affect the tests.
            let _ = docker(&["rm", "--force", container]);
        }
    }
}

fn lambda_containers() -> BTreeSet<String> {
    let ids = docker(&["ps", "--all", "--quiet", "--filter", "label=sam.cli.container.type=lambda"]);
    ids.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    command::capture(Command::new("docker").args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridge_is_found_whether_docker_names_its_gateway_or_not() {
        assert_eq!(gateway("172.18.0.9 172.18.0.0/16 "), Some(Ipv4Addr::new(172, 18, 0, 9)));
        assert_eq!(gateway(" 172.17.0.0/16 "), Some(Ipv4Addr::new(172, 17, 0, 1)));
        assert_eq!(gateway("fd00::1 fd00::/64"), None);
    }

    #[test]
    fn only_loopback_urls_are_rewritten() {
        assert_eq!(loopback("http://127.0.0.1:9001"), Some(("", 9001)));
        assert_eq!(loopback("http://localhost:9003/x"), Some(("/x", 9003)));
        for other in ["https://api.relay.link", "crochet", "http://127.0.0.1:port", "http://172.17.0.1:9001"] {
            assert_eq!(loopback(other), None, "{other}");
        }
    }
}
