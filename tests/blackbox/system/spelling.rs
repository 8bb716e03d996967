//! What only some files may spell.

use std::fs;
use std::path::{Path, PathBuf};

use crochet_tests::Outcome;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Another payment rail comes through the same loop, so nothing but these files may know which rail there is.
#[test]
fn only_the_rail_its_settings_and_the_wire_spell_the_payment_provider() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let may =
        ["shared/src/payments/", "shared/src/config", "shared/src/wire/", "shared/src/http/codes", "shared/domain/src/currency"];
    let mut found = Vec::new();
    sources(&root.join("functions"), &mut found)?;
    sources(&root.join("shared"), &mut found)?;
    assert!(found.len() > 100, "only {} files were found", found.len());
    for path in found {
        let name = path.strip_prefix(&root)?.display().to_string();
        if !may.iter().any(|prefix| name.starts_with(prefix)) {
            let text = fs::read_to_string(&path)?.to_lowercase();
            assert!(!text.contains("relay"), "{name} spells the payment provider");
        }
    }
    Ok(())
}
