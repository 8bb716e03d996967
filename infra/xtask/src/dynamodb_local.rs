//! The database of the black-box suite: DynamoDB Local if this machine can run it.

use std::net::ToSocketAddrs;
use std::process::Command;
use std::time::Duration;

use crate::background::Background;
use crate::project::Project;
use crate::tools::Tools;
use crate::{command, net};

/// The manifest that pins its version.
const MANIFEST: &str = "pom.xml";

/// The oldest Java that it runs on.
const JAVA: u32 = 17;

/// Start timeout. A slow machine needs about 5 s, a container's first pull a minute.
const START: Duration = Duration::from_secs(180);

/// Timeout for a database that the environment names.
const GIVEN: Duration = Duration::from_secs(5);

/// A DynamoDB for one run. Dropping it stops what was started.
#[derive(Debug)]
pub(crate) struct Database {
    /// Its endpoint; `None` is the database embedded in the local stack.
    pub(crate) endpoint: Option<String>,
    /// What it is, for the summary.
    pub(crate) is: String,
    /// Why it is not DynamoDB Local, if it is not.
    pub(crate) stand_in: Option<String>,
    /// Held for its `Drop`.
    _server: Option<Background>,
}

impl Database {
    /// Finds or starts the best available database.
    ///
    /// # Errors
    /// If the database that the environment names is unreachable, or DynamoDB Local is installed but does not start.
    pub(crate) fn start(project: &Project) -> Result<Self, String> {
        if let Some(endpoint) = std::env::var("CROCHET_DYNAMODB_ENDPOINT").ok().filter(|value| !value.is_empty()) {
            return given(endpoint);
        }
        let lacks = match java_and_jars(project) {
            Ok(java) => return with_java(project, &java),
            Err(lacks) => lacks,
        };
        match container_engine() {
            Some(engine) => with_container(project, engine),
            None => Ok(Self {
                endpoint: None,
                is: "the embedded database (dynoxide)".into(),
                stand_in: Some(format!("{lacks}; and no container engine is running")),
                _server: None,
            }),
        }
    }
}

/// The database that the environment names. DynamoDB Local is recognized by its web server.
fn given(endpoint: String) -> Result<Database, String> {
    let authority = endpoint.strip_prefix("http://").unwrap_or(&endpoint).trim_end_matches('/');
    let answer = authority
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.find_map(|address| net::get(address, "/", GIVEN)))
        .ok_or_else(|| format!("CROCHET_DYNAMODB_ENDPOINT={endpoint}: no HTTP server there"))?;
    let real = answer.server.starts_with("Jetty");
    Ok(Database {
        is: format!("{endpoint} (from the environment{})", if real { "; it is DynamoDB Local" } else { "" }),
        stand_in: (!real).then(|| format!("{endpoint} is not DynamoDB Local")),
        endpoint: Some(endpoint),
        _server: None,
    })
}

fn with_java(project: &Project, java: &str) -> Result<Database, String> {
    let port = net::free_ports(1)?;
    let mut server = Command::new(java);
    server.current_dir(jars(project).directory()).args(["-Xmx1g", "-Djava.library.path=lib", "-cp", "lib/*"]);
    server.arg("software.amazon.dynamodb.services.local.main.ServerRunner");
    server.args(["-inMemory", "-disableTelemetry", "-port", &port.to_string()]);
    running(project, &server, port, format!("DynamoDB Local {} (Java)", version(project)?))
}

fn with_container(project: &Project, engine: &str) -> Result<Database, String> {
    let port = net::free_ports(1)?;
    let mut server = Command::new(engine);
    server.args(["run", "--rm", "-p", &format!("127.0.0.1:{port}:8000")]);
    let version = version(project)?;
    server.arg(format!("docker.io/amazon/dynamodb-local:{version}"));
    server.args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-disableTelemetry"]);
    running(project, &server, port, format!("DynamoDB Local {version} ({engine})"))
}

fn running(project: &Project, command: &Command, port: u16, is: String) -> Result<Database, String> {
    let mut server = Background::start("DynamoDB Local", command, &project.log("dynamodb-local")?)?;
    // It rejects an unsigned request with 400, which shows that it is up.
    server.wait(START, || net::answers(port))?;
    Ok(Database { endpoint: Some(format!("http://127.0.0.1:{port}")), is, stand_in: None, _server: Some(server) })
}

fn jars(project: &Project) -> Tools {
    Tools::new(project, &[MANIFEST], "dynamodb-local")
}

/// The pinned version. The container image has the same tags.
fn version(project: &Project) -> Result<String, String> {
    version_in(&jars(project).pins()?).ok_or_else(|| format!("{MANIFEST} pins no version of DynamoDBLocal"))
}

fn version_in(pom: &str) -> Option<String> {
    let (_, after) = pom.split_once("<artifactId>DynamoDBLocal</artifactId>")?;
    let (_, after) = after.split_once("<version>")?;
    Some(after.split_once("</version>")?.0.to_owned())
}

/// The path of a Java that is recent enough, or what is missing.
pub(crate) fn java() -> Result<String, String> {
    let java = std::env::var("JAVA_HOME").map_or_else(|_| "java".to_owned(), |home| format!("{home}/bin/java"));
    let version = command::output(Command::new(&java).arg("-version")).map_err(|_| format!("no Java {JAVA} or newer"))?;
    let version = String::from_utf8_lossy(&version.stderr).into_owned();
    match major(&version) {
        Some(major) if major >= JAVA => Ok(java),
        _ => Err(format!("Java is older than {JAVA}")),
    }
}

/// Installs the jars and returns Java's path, or what is missing.
fn java_and_jars(project: &Project) -> Result<String, String> {
    let java = java()?;
    let jars = jars(project);
    jars.install(|pom| {
        if !command::exists("mvn") {
            return Err("no Maven (mvn) to download DynamoDB Local".into());
        }
        let mut maven = Command::new("mvn");
        maven.current_dir(&project.root).args(["-q", "-B", "-Dstyle.color=never", "dependency:copy-dependencies"]);
        maven.arg("-DincludeScope=runtime").arg(format!("-DoutputDirectory={}", jars.directory().join("lib").display()));
        command::run(maven.arg("-f").arg(pom))
    })?;
    Ok(java)
}

/// The major version in `java -version`'s first line: `openjdk version "17.0.15" 2025-04-15`, or `"1.8.0_392"`.
fn major(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    let mut numbers = quoted.split(['.', '-', '+', '_']).map(|number| number.parse().ok());
    match numbers.next()?? {
        1 => numbers.next()?,
        major => Some(major),
    }
}

fn container_engine() -> Option<&'static str> {
    let answers = |engine: &&str| command::output(Command::new(engine).arg("info")).is_ok_and(|o| o.status.success());
    ["docker", "podman", "nerdctl", "finch"].into_iter().find(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_of_the_manifest() {
        let version = version_in(include_str!("../../tools/pom.xml")).expect("a version");
        assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
        assert_eq!(version_in("<version>1</version>"), None);
    }

    #[test]
    fn java_tells_its_version_in_several_ways() {
        assert_eq!(major("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(major("openjdk version \"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(major("java version \"1.8.0_392\""), Some(8));
        assert_eq!(major("command not found"), None);
    }
}
