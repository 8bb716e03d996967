//! `cargo xtask cold-starts`: how large the functions are, how fast they start, and what they hold.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use crate::figures::{self, MEASURED};
use crate::project::{Project, write};
use crate::stack::Parts;
use crate::{command, sam};

/// Starts of each function.
const STARTS: usize = 10;

/// What one start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Builds the functions with SAM, measures them, and writes `infra/functions.json` and the page of figures.
///
/// # Errors
/// If something does not build or start, or does no work within a minute.
pub(crate) fn run(project: &Project) -> Result<(), String> {
    let built = sam::build(project)?;
    command::run(&mut project.cargo(&["build", "--quiet", "--workspace", "--bins"]))?;
    let parts = Parts::start(project, None)?;
    let mut functions = serde_json::Map::new();
    for (name, program) in programs(&built)? {
        let starts: Vec<Start> = (0..STARTS).map(|_| start(&program, &name, &parts)).collect::<Result<_, _>>()?;
        let median = |figure: fn(&Start) -> f64| {
            let mut figures: Vec<f64> = starts.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[STARTS / 2].round()
        };
        let package = std::fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
        let measured = json!({
            "package_bytes": deflated(&package)?,
            "ready_ms": median(|start| start.ready.as_secs_f64() * 1e3),
            "first_reply_ms": median(|start| start.first_reply.as_secs_f64() * 1e3),
            "memory_bytes": median(|start| start.memory_bytes),
        });
        println!("{name}: {measured}");
        functions.insert(name, measured);
    }
    let today = command::capture(Command::new("date").args(["-u", "+%F"]))?;
    let measured = json!({
        "architecture": sam::ARCHITECTURE, "measured_on": today.trim(), "starts": STARTS, "functions": functions,
    });
    let text = serde_json::to_string_pretty(&measured).map_err(|error| error.to_string())?;
    write(&project.root.join(MEASURED), &(text + "\n"))?;
    figures::run(project)
}

/// The functions' names in the template, and their programs.
fn programs(built: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = std::fs::read_dir(built).map_err(|error| format!("{}: {error}", built.display()))?;
    let mut programs: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().join("bootstrap")))
        .filter(|(_, program)| program.is_file())
        .collect();
    programs.sort();
    Ok(programs)
}

/// The size in a zip file, without its directory.
fn deflated(bytes: &[u8]) -> Result<usize, String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map(|packed| packed.len()).map_err(|error| error.to_string())
}

/// One start of a function.
struct Start {
    ready: Duration,
    first_reply: Duration,
    memory_bytes: f64,
}

/// What a function does at the runtime's API.
enum Step {
    AsksForWork,
    Replies,
}

fn start(program: &Path, name: &str, parts: &Parts) -> Result<Start, String> {
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let api = listener.local_addr().map_err(failed)?;
    let (told, steps) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            // A connection ends with the function.
            thread::spawn(move || drop(serve(&stream, &told)));
        }
    });
    let mut function = Command::new(program);
    function.env_clear().envs(parts.exports.iter().map(|(name, value)| (name, value)));
    function.env("AWS_LAMBDA_RUNTIME_API", api.to_string()).env("AWS_LAMBDA_FUNCTION_NAME", name);
    function.env("AWS_LAMBDA_FUNCTION_VERSION", "1").env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
    function.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    function.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut running = Running(function.spawn().map_err(failed)?);
    let ready = await_step(&steps, |step| matches!(step, Step::AsksForWork)).ok_or_else(|| format!("{name} asks for no work"))?;
    let replied = await_step(&steps, |step| matches!(step, Step::Replies)).ok_or_else(|| format!("{name} does not reply"))?;
    Ok(Start { ready: ready - began, first_reply: replied - ready, memory_bytes: running.peak_memory_bytes() })
}

/// The time of the next step of this kind.
fn await_step(steps: &Receiver<(Step, Instant)>, is_it: impl Fn(&Step) -> bool) -> Option<Instant> {
    loop {
        let (step, at) = steps.recv_timeout(PATIENCE).ok()?;
        if is_it(&step) {
            return Some(at);
        }
    }
}

/// A function's process. It ends with this.
struct Running(Child);

impl Running {
    /// The most that the process held so far. Zero where the system does not say.
    fn peak_memory_bytes(&mut self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or_default() * 1024.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The runtime's API: one piece of work, and no second.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
fn serve(stream: &TcpStream, told: &Sender<(Step, Instant)>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?;
        if line.contains("/invocation/next") {
            told.send((Step::AsksForWork, Instant::now())).map_err(std::io::Error::other)?;
            let event = health_check().to_string();
            write!(
                writer,
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\nlambda-runtime-deadline-ms: 99999999999999\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{event}",
                event.len()
            )?;
        } else {
            told.send((Step::Replies, Instant::now())).map_err(std::io::Error::other)?;
            // The function would ask for more work. It is stopped.
            writer.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
            return Ok(());
        }
    }
}

/// An event of API Gateway. Scheduled functions do not read theirs.
fn health_check() -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/v1/health", "rawQueryString": "", "headers": { "host": "localhost" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "localhost", "domainPrefix": "api", "requestId": "1",
            "http": { "method": "GET", "path": "/api/v1/health", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "xtask" },
            "routeKey": "$default", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_u64,
        },
        "isBase64Encoded": false,
    })
}
