//! Tools of others read the documents: validators of skills, `llms.txt` and `security.txt`, and the installer of skills.

use std::process::Command;

use crochet_tests::{Directory, Failure, Outcome, Program, Setup, npm_program, shared, with_setup};
use http::Method;
use serde_json::{Value, json};

const SKILLS: [&str; 2] = ["crochet", "crochet-sell"];

#[test]
fn validators_find_no_fault_with_skills_llms_txt_and_security_txt() -> Outcome {
    let Some(program) = Program::python("documents.py") else { return Ok(()) };
    // security.txt names its own address, which must be https.
    let setup = Setup::settings(&[
        ("CROCHET_PUBLIC_URL", "https://market.crochet.example"),
        ("CROCHET_SECURITY_CONTACT", "mailto:security@crochet.example"),
    ]);
    with_setup(setup, async |world| {
        let client = world.site_client().ok_or_else(|| Failure::new("this requires a stack in this process"))?;
        let get = async |path: &str| -> Result<String, Failure> {
            let reply = client.site(Method::GET, path).send().await?;
            assert_eq!(reply.status, 200, "{path}");
            Ok(reply.text())
        };
        let mut skills = serde_json::Map::new();
        for name in SKILLS {
            skills.insert(name.into(), get(&format!("/.well-known/agent-skills/{name}/SKILL.md")).await?.into());
        }
        let input =
            json!({ "skills": skills, "llms": get("/llms.txt").await?, "security": get("/.well-known/security.txt").await? });
        let found = program.run(&input)?;
        assert_eq!(found["skills"], json!({ "crochet": [], "crochet-sell": [] }), "agentskills validate");
        assert_eq!(found["llms"]["title"], "Crochet", "llms-txt");
        assert_eq!(found["llms"]["sections"], json!(["Skills", "Docs", "Machine-readable", "Optional"]));
        assert!(found["llms"]["links"].as_u64().is_some_and(|links| links >= 14), "{}", found["llms"]);
        assert_eq!(found["security"], json!([]), "sectxt");
        Ok(())
    })
}

#[test]
fn the_installer_of_skills_installs_both() -> Outcome {
    let Some(installer) = npm_program("skills") else { return Ok(()) };
    shared(async |world| {
        let directory = Directory::new()?;
        let mut command = Command::new(&installer);
        command.args(["add", world.client.base(), "--skill", "*", "--agent", "claude-code", "--copy", "--yes"]);
        command.env("HOME", directory.path()).env("DISABLE_TELEMETRY", "1").env("DO_NOT_TRACK", "1").env("CI", "true");
        let said = directory.run(&mut command)?;
        for name in SKILLS {
            let served = world.client.site(Method::GET, &format!("/.well-known/agent-skills/{name}/SKILL.md")).send().await?;
            let installed = directory.read(&format!(".claude/skills/{name}/SKILL.md"));
            let installed = installed.map_err(|failure| Failure::new(format!("{failure:?}\n{said}")))?;
            assert_eq!(Value::from(installed), Value::from(served.text()), "{name}");
        }
        Ok(())
    })
}
