//! Sellers' endpoints in several languages: whole servers, written to a file, built if necessary, and started.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::net::{TcpListener, TcpStream};

use crate::eventually::eventually;
use crate::failure::Failure;
use crate::names::unique_name;
use crate::programs::setting;

/// An endpoint's program. It reads its secret from `CROCHET_SIGNING_SECRET` and listens on `PORT`.
#[derive(Debug)]
pub struct EndpointProgram {
    program: PathBuf,
    arguments: Vec<OsString>,
    _source: Option<Scratch>,
}

/// A running endpoint. Dropping it stops it.
#[derive(Debug)]
pub struct RunningEndpoint {
    child: Child,
    url: String,
}

/// A temporary file or directory. Dropping it deletes it.
#[derive(Debug)]
struct Scratch(PathBuf);

impl EndpointProgram {
    /// A Python program. `None` if its libraries are not installed.
    pub fn python(source: &str) -> Result<Option<Self>, Failure> {
        let Some(program) = setting("CROCHET_TEST_PYTHON") else { return Ok(None) };
        let file = Scratch::file(&std::env::temp_dir(), "py", source)?;
        Ok(Some(Self { program, arguments: vec![file.0.clone().into()], _source: Some(file) }))
    }

    /// A JavaScript program. `None` if its libraries are not installed.
    pub fn javascript(source: &str) -> Result<Option<Self>, Failure> {
        let Some(node_modules) = setting("CROCHET_TEST_NODE_MODULES") else { return Ok(None) };
        // Node resolves libraries relative to the importing file.
        let beside = node_modules.parent().unwrap_or(&node_modules);
        let file = Scratch::file(beside, "mjs", source)?;
        Ok(Some(Self { program: "node".into(), arguments: vec![file.0.clone().into()], _source: Some(file) }))
    }

    /// A Go program, compiled. `None` if this machine has no Go. `cargo xtask test` detects Go and fails if its modules cannot be
    /// downloaded.
    ///
    /// # Errors
    /// If it cannot be written down or does not build; with what the compiler said.
    pub fn go(source: &str) -> Result<Option<Self>, Failure> {
        let setting = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (Some(go), Some(modules)) = (setting("CROCHET_TEST_GO"), setting("CROCHET_TEST_GO_MODULES")) else {
            println!("not run: CROCHET_TEST_GO is not set (cargo xtask test sets it where there is a Go)");
            return Ok(None);
        };
        let place = Scratch::directory(&modules)?;
        std::fs::write(place.0.join("main.go"), source)?;
        for name in ["go.mod", "go.sum"] {
            std::fs::copy(modules.join(name), place.0.join(name))?;
        }
        let mut build = Command::new(go);
        build.args(["build", "-o", "endpoint", "."]).current_dir(&place.0);
        // Only what is installed.
        build.env("GOMODCACHE", modules.join("modules")).env("GOCACHE", modules.join("build"));
        build.env("GOFLAGS", "-modcacherw").env("GOPROXY", "off").env("GOTOOLCHAIN", "local");
        let built = build.output()?;
        if !built.status.success() {
            return Err(Failure::new(format!("go build: {}", String::from_utf8_lossy(&built.stderr))));
        }
        Ok(Some(Self { program: place.0.join("endpoint"), arguments: Vec::new(), _source: Some(place) }))
    }

    /// A compiled program.
    #[must_use]
    pub fn built(program: &str) -> Self {
        Self { program: program.into(), arguments: Vec::new(), _source: None }
    }

    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started, or does not listen within ten seconds.
    pub async fn start(&self, secret: &str) -> Result<RunningEndpoint, Failure> {
        let free = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = free.local_addr()?;
        drop(free);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env("CROCHET_SIGNING_SECRET", secret).env("PORT", address.port().to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut running = RunningEndpoint { child, url: format!("http://{address}/") };
        match eventually("the endpoint listens", async || Ok(TcpStream::connect(address).await.ok())).await {
            Ok(_) => Ok(running),
            Err(late) => Err(Failure::new(format!("{late:?}; its standard error: {}", running.last_words()))),
        }
    }
}

impl RunningEndpoint {
    /// Stops it and returns its standard error.
    fn last_words(&mut self) -> String {
        let mut said = String::new();
        // It may have exited already, without output.
        let _ = self.child.kill();
        if let Some(mut complaints) = self.child.stderr.take() {
            let _ = complaints.read_to_string(&mut said);
        }
        said
    }

    /// The URL to call.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RunningEndpoint {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Scratch {
    fn file(directory: &Path, extension: &str, text: &str) -> Result<Self, Failure> {
        let file = Self(directory.join(format!("endpoint-{}.{extension}", unique_name())));
        std::fs::write(&file.0, text)?;
        Ok(file)
    }

    fn directory(inside: &Path) -> Result<Self, Failure> {
        let directory = Self(inside.join(format!("endpoint-{}", unique_name())));
        std::fs::create_dir_all(&directory.0)?;
        Ok(directory)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = if self.0.is_dir() { std::fs::remove_dir_all(&self.0) } else { std::fs::remove_file(&self.0) };
    }
}
