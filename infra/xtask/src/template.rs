//! Checks of the SAM files beyond `sam validate`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::project::{Project, read};
use crate::{command, tools};

/// Settings for a local stack only. The template leaves them empty.
const LOCAL_ONLY: [&str; 3] = ["CROCHET_INSECURE_ENDPOINTS", "CROCHET_RATE_LIMITS", "CROCHET_CLOCK"];

/// The templates that `template.yaml` nests.
const NESTED: [&str; 2] = ["infra/alarms.yaml", "infra/edge.yaml"];

/// Runs `sam validate --lint`, and expands the template as AWS does. Neither needs AWS; the region only selects the linter's rules.
///
/// # Errors
/// If SAM cannot be installed or reports a problem.
pub(crate) fn validate(project: &Project) -> Result<(), String> {
    let mut sam = project.command(tools::sam_programs(project)?.join("sam"));
    sam.args(["validate", "--lint", "--region", "us-east-1", "--template-file", "template.yaml"]);
    command::run(sam.env("SAM_CLI_TELEMETRY", "0"))?;
    let mut expand = project.command(tools::sam_programs(project)?.join("python"));
    command::run(expand.arg("infra/tools/expand.py"))?;
    // SAM looks at the template itself, and not at what it nests.
    let mut lint = project.command(tools::sam_programs(project)?.join("cfn-lint"));
    command::run(lint.args(["--regions", "us-east-1", "--template"]).args(NESTED))
}

/// Runs checkov. Its exceptions are in `infra/tools/checkov.yaml`, each with its reason.
///
/// # Errors
/// If checkov cannot be installed or reports a problem.
pub(crate) fn checkov(project: &Project) -> Result<(), String> {
    let mut checkov = project.command(tools::lint_programs(project)?.join("checkov"));
    command::run(checkov.args(["--file", "template.yaml"]).args(NESTED).args(["--config-file", "infra/tools/checkov.yaml"]))
}

/// Checks the project's rules for its template.
///
/// # Errors
/// One line for each broken rule.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    let mut settings = BTreeSet::new();
    for directory in ["shared/src", "functions"] {
        collect_settings(&project.root.join(directory), &mut settings)?;
    }
    let template = read(&project.root.join("template.yaml"))?;
    let functions = functions(project)?;
    let mut problems = template_problems(&template, &functions, &settings);
    let mut programs = BTreeSet::new();
    for function in &functions {
        programs.extend(programs_in(&read(&project.root.join("functions").join(function).join("Cargo.toml"))?));
    }
    problems.extend(program_problems(&template, &programs));
    problems.extend(undocumented(&template, &read(&project.root.join("README.md"))?));
    problems.extend(samconfig_problems(&read(&project.root.join("samconfig.toml"))?));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// The functions' names: the directories of `functions/`.
///
/// # Errors
/// If they cannot be listed.
pub(crate) fn functions(project: &Project) -> Result<Vec<String>, String> {
    let directory = project.root.join("functions");
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn template_problems(template: &str, functions: &[String], settings: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let values = |key: &'static str| template.lines().filter_map(move |line| line.trim().strip_prefix(key)).map(str::trim);
    let built: BTreeSet<&str> = values("CodeUri:").collect();
    let wanted: Vec<String> = functions.iter().map(|name| format!("functions/{name}")).collect();
    if built != wanted.iter().map(String::as_str).collect() {
        problems.push(format!("template.yaml builds {built:?}, and functions/ holds {wanted:?}"));
    }
    for setting in settings {
        if !template.contains(&format!("{setting}:")) {
            problems.push(format!("template.yaml does not declare {setting}: `sam local --env-vars` would drop it"));
        }
    }
    for setting in LOCAL_ONLY {
        if !template.contains(&format!("{setting}: \"\"")) {
            problems.push(format!("template.yaml must leave {setting} empty"));
        }
    }
    if template.contains("AWS_ENDPOINT_URL") {
        problems.push("template.yaml sets AWS_ENDPOINT_URL…: an empty one makes the SDK panic".into());
    }
    problems
}

/// The names of a manifest's programs.
fn programs_in(manifest: &str) -> impl Iterator<Item = String> {
    manifest.split("[[bin]]").skip(1).filter_map(|table| {
        let name = table.lines().find_map(|line| line.strip_prefix("name = "))?;
        Some(name.trim_matches('"').to_owned())
    })
}

/// SAM cannot tell which program of a package a function is, unless it is named.
fn program_problems(template: &str, programs: &BTreeSet<String>) -> Option<String> {
    let named = |line: &str| Some(line.trim().strip_prefix("BuildProperties: { Binary: ")?.strip_suffix(" }")?.to_owned());
    let built: Vec<String> = template.lines().filter_map(named).collect();
    let functions = template.matches("BuildMethod: rust-cargolambda").count();
    let is_right = built.len() == functions && functions == programs.len() && built.iter().all(|name| programs.contains(name));
    (!is_right).then(|| {
        format!("template.yaml has {functions} functions and names {built:?} as their programs; functions/ has {programs:?}")
    })
}

/// Parameters that the README does not explain. SAM asks for all of them.
fn undocumented(template: &str, readme: &str) -> Vec<String> {
    let parameters = template.lines().skip_while(|line| *line != "Parameters:").skip(1);
    let parameters = parameters.take_while(|line| line.is_empty() || line.starts_with(' '));
    let names =
        parameters.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':').filter(|name| !name.starts_with([' ', '#'])));
    names
        .filter(|name| !readme.contains(&format!("`{name}`")))
        .map(|name| format!("README.md does not explain the parameter {name}"))
        .collect()
}

fn samconfig_problems(samconfig: &str) -> Vec<String> {
    let lines: Vec<&str> = samconfig.lines().map(str::trim).collect();
    let build = lines.iter().skip_while(|line| **line != "[default.build.parameters]").skip(1);
    let off = build.take_while(|line| !line.starts_with('[')).any(|line| *line == "cached = false");
    if off && !lines.contains(&"cached = true") {
        return Vec::new();
    }
    vec!["samconfig.toml must say `cached = false` for builds: the cache ships old binaries after an edit in shared/".into()]
}

/// Collects the names of all `CROCHET_*` settings in a directory's Rust sources.
fn collect_settings(directory: &Path, settings: &mut BTreeSet<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect_settings(&path, settings)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            settings.extend(settings_in(&read(&path)?));
        }
    }
    Ok(())
}

fn settings_in(source: &str) -> impl Iterator<Item = String> {
    source
        .split('"')
        .filter(|text| {
            text.strip_prefix("CROCHET_").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            })
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "CROCHET_TABLE: !Ref Table\nCROCHET_INSECURE_ENDPOINTS: \"\"\nCROCHET_RATE_LIMITS: \"\"\n\
        CROCHET_CLOCK: \"\"\n  CodeUri: functions/site\n";

    fn problems(template: &str) -> Vec<String> {
        let settings = settings_in(r#"get("CROCHET_TABLE"), "CROCHET_", "CROCHET_TABLE is"#).collect();
        template_problems(template, &["site".to_owned()], &settings)
    }

    #[test]
    fn a_template_declares_every_setting_and_builds_every_function() {
        assert_eq!(problems(TEMPLATE), Vec::<String>::new());
        assert_eq!(problems(&TEMPLATE.replace("CROCHET_TABLE", "TABLE")).len(), 1);
        assert_eq!(problems(&TEMPLATE.replace("functions/site", ".")).len(), 1);
        assert_eq!(problems(&TEMPLATE.replace("CLOCK: \"\"", "CLOCK: movable")).len(), 1);
        assert_eq!(problems(&format!("{TEMPLATE}AWS_ENDPOINT_URL_DYNAMODB: \"\"")).len(), 1);
    }

    #[test]
    fn each_parameter_is_explained() {
        let template =
            "Parameters:\n  # Limits\n  One:\n    Type: String\n\n  Two:\n    Type: Number\n\nConditions:\n  Three: !Ref One\n";
        assert!(undocumented(template, "| `One`, `Two` |").is_empty());
        assert_eq!(undocumented(template, "| `One` | Two |"), ["README.md does not explain the parameter Two"]);
    }

    #[test]
    fn each_function_names_its_program() {
        let programs: BTreeSet<String> = programs_in("[[bin]]\nname = \"a\"\npath = \"a.rs\"\n\n[[bin]]\nname = \"b\"\n").collect();
        let function = |name: &str| format!("    BuildMethod: rust-cargolambda\n    BuildProperties: {{ Binary: {name} }}\n");
        assert_eq!(program_problems(&(function("a") + &function("b")), &programs), None);
        for wrong in [function("a"), function("a") + "    BuildMethod: rust-cargolambda\n", function("a") + &function("c")] {
            assert!(program_problems(&wrong, &programs).is_some(), "{wrong}");
        }
    }

    #[test]
    fn builds_never_use_the_cache() {
        assert!(samconfig_problems("[default.build.parameters]\ncached = false\n").is_empty());
        assert!(!samconfig_problems("[default.build.parameters]\nparallel = false\n").is_empty());
        assert!(!samconfig_problems("[default.build.parameters]\n[other]\ncached = false\n").is_empty());
        assert!(!samconfig_problems("[default.build.parameters]\ncached = false\n[ci]\ncached = true\n").is_empty());
    }
}
