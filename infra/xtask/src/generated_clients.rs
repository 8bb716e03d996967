//! Clients that generators make of the OpenAPI document. Generating them shows that the document is one that every generator takes;
//! the black-box suite makes a paid call with each.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::go::{Go, environment};
use crate::openapi_tools::OpenapiTools;
use crate::project::{Project, copy, read, write};

/// The document that is read.
const DOCUMENT: &str = "docs/openapi.json";
/// The programs that pay.
const PROGRAMS: &str = "tests/clients/generated";
/// The Go module of the generated client, as `pay.go` imports it.
const GO_MODULE: [&str; 2] = ["crochet", "crochet_api"];

/// Lints the document, generates and compiles all clients, and returns their directory. Nothing is done if the document, the
/// programs and the tools are those of the last run.
///
/// # Errors
/// If a rule is broken, or a client cannot be generated or compiled.
pub(crate) fn build(project: &Project, go: Option<&Go>) -> Result<PathBuf, String> {
    let tools = OpenapiTools::install(project)?;
    let directory = directory(project);
    let made_of = made_of(project, &tools)?;
    if read(&directory.join("stamp")).is_ok_and(|stamp| stamp == made_of) {
        return Ok(directory);
    }
    if directory.exists() {
        std::fs::remove_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    let document = project.root.join(DOCUMENT);
    command::run(tools.npm("redocly").args(["lint", "--extends=recommended", "--format=stylish"]).arg(&document))?;
    typescript(project, &tools, &document, &directory)?;
    python_client(&tools, &document, &directory)?;
    for language in ["python", "go"] {
        openapi_generator(&tools, &document, &directory, language)?;
    }
    command::run(Command::new(&tools.python).args(["-m", "compileall", "-q"]).arg(&directory))?;
    if let Some(go) = go {
        go_client(project, go, &directory)?;
    }
    // Not its interpreter alone: a Python finds its packages from where it was started.
    link(&tools.environment, &directory.join("venv"))?;
    write(&directory.join("stamp"), &made_of)?;
    Ok(directory)
}

/// The clients of an earlier run.
pub(crate) fn built(project: &Project) -> Option<PathBuf> {
    Some(directory(project)).filter(|directory| directory.join("stamp").is_file())
}

fn directory(project: &Project) -> PathBuf {
    project.target.join("generated-clients")
}

/// Everything that the clients depend on.
fn made_of(project: &Project, tools: &OpenapiTools) -> Result<String, String> {
    let mut text = tools.pins.clone() + &read(&project.root.join(DOCUMENT))?;
    for name in ["pay.ts", "tsconfig.json", "pay.go"] {
        text += &read(&project.root.join(PROGRAMS).join(name))?;
    }
    Ok(text)
}

fn typescript(project: &Project, tools: &OpenapiTools, document: &Path, directory: &Path) -> Result<(), String> {
    let directory = directory.join("typescript");
    for name in ["pay.ts", "tsconfig.json"] {
        copy(&project.root.join(PROGRAMS).join(name), &directory)?;
    }
    write(&directory.join("package.json"), "{ \"type\": \"module\" }\n")?;
    link(&tools.node_modules, &directory.join("node_modules"))?;
    command::run(tools.npm("openapi-typescript").arg(document).arg("-o").arg(directory.join("schema.d.ts")))?;
    command::run(tools.npm("tsc").arg("-p").arg(&directory))
}

fn python_client(tools: &OpenapiTools, document: &Path, directory: &Path) -> Result<(), String> {
    let mut generate = Command::new(tools.python.with_file_name("openapi-python-client"));
    generate.args(["generate", "--overwrite", "--fail-on-warning", "--path"]).arg(document);
    generate.arg("--output-path").arg(directory.join("openapi-python-client"));
    command::run(generate.env("PATH", tools.path()))
}

fn openapi_generator(tools: &OpenapiTools, document: &Path, directory: &Path, language: &str) -> Result<(), String> {
    let mut generate = Command::new(&tools.java);
    // Its warnings are about its own support of OpenAPI 3.1.
    generate.arg("-Dlog.level=error").arg("-jar").arg(&tools.generator).args(["generate", "-g", language, "-i"]).arg(document);
    generate.arg("-o").arg(directory.join(format!("openapi-generator-{language}")));
    let [user, repository] = GO_MODULE;
    generate.args(["--git-user-id", user, "--git-repo-id", repository, "--package-name", "crochet_api"]);
    generate.args(["--global-property", "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"]);
    command::capture(&mut generate).map(drop)
}

fn go_client(project: &Project, go: &Go, directory: &Path) -> Result<(), String> {
    let module = directory.join("openapi-generator-go");
    copy(&project.root.join(PROGRAMS).join("pay.go"), &module.join("cmd"))?;
    let mut build = Command::new(&go.program);
    build.args(["build", "-o", "pay", "./cmd"]).current_dir(&module).envs(environment(&go.directory));
    command::run(&mut build)
}

fn link(target: &Path, link: &Path) -> Result<(), String> {
    std::os::unix::fs::symlink(target, link).map_err(|error| format!("{}: {error}", link.display()))
}
